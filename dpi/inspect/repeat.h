/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that passed go once more when their sender believes them lost, and then perhaps in other segments than before. A
 * receiver that really lost them reads them as they are cut now, so the enforcer is asked about that as it was the first time.
 */
#ifndef SEKISHO_DPI_INSPECT_REPEAT_H
#define SEKISHO_DPI_INSPECT_REPEAT_H

#include "dpi/inspect/crossing.h"

/* Whether what passed before may pass as this segment repeats it, or the flow ends. */
MUST_SEND struct verdict repeat_judge(struct crossing *x);

#endif
