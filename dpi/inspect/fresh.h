/* SPDX-License-Identifier: Apache-2.0 */
/* New bytes of a followed stream, in order: is it what was promised, are its commands allowed? What passes is kept. */
#ifndef SEKISHO_DPI_INSPECT_FRESH_H
#define SEKISHO_DPI_INSPECT_FRESH_H

#include "dpi/inspect/crossing.h"

MUST_SEND struct verdict fresh_judge(struct crossing *x, struct stream_result *s);

#endif
