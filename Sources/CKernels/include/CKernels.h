#include "Memory.h"
void CKernels_anchor(void);
#include "CKernelsMath.h"
