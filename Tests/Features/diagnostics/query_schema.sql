CREATE TABLE app.payments (x bigint);
SELECT x FROM app.payments;
