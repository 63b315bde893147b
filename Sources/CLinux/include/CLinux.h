void CLinux_anchor(void);
