#include "CLinux.h"
void CLinux_anchor(void) {}
