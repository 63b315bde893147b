#include "CPostgresParser.h"
void CPostgresParser_anchor(void) {}
