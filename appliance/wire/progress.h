/* SPDX-License-Identifier: Apache-2.0 */
/* What the box is at while somebody waits for an answer, as progress.def has it. */
#ifndef SEKISHO_WIRE_PROGRESS_H
#define SEKISHO_WIRE_PROGRESS_H

enum progress_stage {
#define STAGE(id, word) PROGRESS_##id,
#include "appliance/wire/progress.def"
	PROGRESS_STAGES
};

/* "?" of one that there is not. */
const char *progress_word(enum progress_stage s);

#endif
