/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which sequence numbers the ends of a TCP session accept, and repeated resets. For life.c.
 *
 * Nobody acknowledges a reset. If one is lost behind the box, a silent server keeps a session that
 * its client no longer has, and perhaps its only free slot. So the resets of a cut are repeated a
 * few times, at equal intervals, unless the ports carry a new connection by then. An end that
 * received the first reset ignores the others. When more sessions end at once than there are
 * places, the rest are reset only once.
 */
#ifndef SEKISHO_DPI_INSPECT_RESET_H
#define SEKISHO_DPI_INSPECT_RESET_H

#include "dpi/inspect/crossing.h"

struct resets *resets_new(void); /* NULL when memory is out */
void resets_free(struct resets *s);
uint64_t resets_count(const struct resets *s);

/* Resets both ends, with the sequence numbers of the flow, or (`by_packet`) of this packet. */
void reset_both(struct crossing *x, bool by_packet);
/* Resets the server, because its answer to a SYN was dropped. */
void reset_server(struct crossing *x);
/* Whether the stream has been followed up to here in both directions. */
bool reset_knows_both(const struct flow *f);

void resets_send_due(struct inspector *i);
uint64_t resets_next_due(const struct resets *s);

#endif
