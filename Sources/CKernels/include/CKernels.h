void CKernels_anchor(void);
