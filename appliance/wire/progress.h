/* SPDX-License-Identifier: Apache-2.0 */
/* The stages that the box reports while somebody waits for an answer; progress.def lists them. */
#ifndef SEKISHO_WIRE_PROGRESS_H
#define SEKISHO_WIRE_PROGRESS_H

enum progress_stage {
#define STAGE(id, word) PROGRESS_##id,
#include "appliance/wire/progress.def"
	PROGRESS_STAGES
};

/* "?" for an unknown stage. */
const char *progress_word(enum progress_stage s);

#endif
