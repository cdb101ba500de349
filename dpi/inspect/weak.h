/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was seen that protects a session badly, and servers that nobody declared: told once at its first, then as a sum in each hour, by conduit, pair of hosts
 * and what was seen; a server by conduit and name. So a client that does it with every session fills no record, and the counts of all records together are exact.
 *
 * The table has a stated size and no peer can make it grow: a conduit has its part of it, beyond which its sessions are one sum without their
 * ends. Nothing waits for it and nothing is allocated. It decides nothing.
 */
#ifndef SEKISHO_DPI_INSPECT_WEAK_H
#define SEKISHO_DPI_INSPECT_WEAK_H

#include "dpi/hello.h"
#include "dpi/inspect/crossing.h"

#define WEAK_MAX 512u /* kinds a worker tells apart */
#define WEAK_EXACT                                                                                                     \
	(WEAK_MAX / 8u *                                                                                               \
	 3u) /* of which so many by their ends, and so many servers by their names; the rest is for sums of conduits */
#define WEAK_OF_CONDUIT 64u /* ... and of one conduit */

struct weaks *weaks_new(void); /* NULL when memory is out */
void weaks_free(struct weaks *all);

/* The server of this session chose what its hello says, and `bits` of it is weak (appliance/wire/tls.h); `verdict`: what became of the session for that. */
void weak_note_tls(struct crossing *x, const struct hello *h, uint32_t bits, enum event_verdict verdict);
/* The client of this session asked for a server that no conduit declares; `g` is of the first one that declares some. */
void weak_note_name(struct inspector *i, const struct flow *f, const struct command_permit *permit,
		    const struct command_grant *g, enum event_verdict verdict);
/* Sums are written from the next tick on: their generation is over. */
void weaks_end_hour(struct inspector *i);
void weaks_write_due(struct inspector *i);
uint64_t weaks_next_due(const struct weaks *all);
/* All of it, now. */
void weaks_write_all(struct inspector *i);

#endif
