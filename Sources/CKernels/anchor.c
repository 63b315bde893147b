#include "CKernels.h"
void CKernels_anchor(void) {}
