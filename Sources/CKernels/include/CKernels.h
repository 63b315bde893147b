#include "Memory.h"
#include "Checksum.h"
#include "ColumnChecks.h"
void CKernels_anchor(void);
#include "CKernelsMath.h"
