/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of sessions that are over: the policy has ended them, or tracking does not know them. */
#ifndef SEKISHO_DPI_INSPECT_CUT_H
#define SEKISHO_DPI_INSPECT_CUT_H

#include "dpi/inspect/crossing.h"

/* A packet of the cut lane. */
MUST_SEND struct verdict cut_judge(struct crossing *x);
/* A segment that tracking calls invalid. */
MUST_SEND struct verdict cut_stray(struct crossing *x);

#endif
