CRATE TABLE a (x bigint);
SELEC x FROM a;
