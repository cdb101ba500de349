/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generations that the journal was told, in memory that it shares with its successor alone:
 * records that need their names may still wait when it ends. The supervisor makes this memory, and
 * does not read it; it lasts as long as the daemon.
 */
#ifndef SEKISHO_JOURNAL_REMEMBERED_H
#define SEKISHO_JOURNAL_REMEMBERED_H

#include "appliance/journal/names.h"

/* Puts a generation into the memory `fd`. If all places are taken, it gets that of the oldest one
 * that no live session needs, or else of the oldest. */
void remembered_put(int fd, const struct names_source *from, struct event_generation which);
/* Gives every generation in the memory to `take`, the oldest first. */
void remembered_take(int fd, void (*take)(void *ctx, const struct names_source *from), void *ctx);

#endif
