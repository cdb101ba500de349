/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which numbers the ends of a TCP session believe, and resets that are said again. For life.c.
 *
 * A reset is said once and nobody acknowledges it. One that gets lost behind the box would leave a silent server with a
 * session that no client has any more, and perhaps without a free slot. So the resets of a cut are said again a few
 * times, at the same distance each, unless the ports carry a new connection by then. Whoever heard the first one does
 * not mind. When more sessions end at once than there are places, the next ones are told only once.
 */
#ifndef SEKISHO_DPI_INSPECT_RESET_H
#define SEKISHO_DPI_INSPECT_RESET_H

#include "dpi/inspect/crossing.h"

struct resets *resets_new(void); /* NULL when memory is out */
void resets_free(struct resets *s);
uint64_t resets_count(const struct resets *s);

/* Resets both ends: by what the flow knows, or by this packet's own numbers. */
void reset_both(struct crossing *x, bool by_packet);
/* The server's answer to a SYN was dropped: nothing comes of it. */
void reset_server(struct crossing *x);
/* The stream was followed to here, in both directions. */
bool reset_knows_both(const struct flow *f);

void resets_send_due(struct inspector *i);
uint64_t resets_next_due(const struct resets *s);

#endif
