#include "Memory.h"
#include "Checksum.h"
#include "ColumnChecks.h"
#include "CKernelsMath.h"
