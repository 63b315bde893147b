void CPostgresParser_anchor(void);
