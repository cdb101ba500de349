/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a capture lacks. Its packets come in the order of their ends (mgmt/cli/replay/order.c), so whatever is not there when a
 * segment has its turn will never come. A segment is made one of an ordinary stream before anybody looks at it: bytes before
 * it that are missing are skipped, as are those that it acknowledges; numbers that nobody sent are not believed.
 */
#ifndef SEKISHO_DPI_INSPECT_CAPTURED_H
#define SEKISHO_DPI_INSPECT_CAPTURED_H

#include "dpi/inspect/crossing.h"

/* STEP_ON: the segment is neither ahead of its stream nor acknowledges what is ahead of the other. */
MUST_SEND struct verdict captured_prepare(struct crossing *x);

#endif
