/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a flow: a place in the table, which end is the client, what is given back at its end. */
#ifndef SEKISHO_DPI_INSPECT_LIFE_H
#define SEKISHO_DPI_INSPECT_LIFE_H

#include "dpi/inspect/crossing.h"

/* Finds or makes room for a new flow of this packet; false when its share is full of live ones. */
bool life_open(struct crossing *x, enum direction dir);
/* The same ports, a new connection: everything starts again but the tuple; n rises. */
void life_restart(struct crossing *x, enum direction dir);
/* Who is the client: as tracking says; in a capture judged by the permit's server ports, when nobody saw the session open. */
enum direction life_guess_dir(const struct crossing *x);
/* Whether the ports leave no doubt of it. */
bool life_tells_ends(const struct crossing *x);
/* Its lane may be of another share than it was; what it holds goes along. */
void life_change_share(struct crossing *x);
/* Writes counts, tells the end once, gives back, moves to the ended ones. */
void life_end(struct inspector *i, uint32_t fi);
/* Carries the verdict out; a flow that it closes ends. */
void life_send(struct crossing *x, struct verdict v);

#endif
