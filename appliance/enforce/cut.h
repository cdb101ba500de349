/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions that an apply ends. */
#ifndef SEKISHO_ENFORCE_CUT_H
#define SEKISHO_ENFORCE_CUT_H

struct enforce;
struct err;
struct generation_held;
struct image;
struct told;

int enforce_cut(struct enforce *f, const struct generation_held *next, const struct image *have, struct told *ret,
		struct err *e);
/* The list of the TCP sessions that the apply ends, as in wire/cuts.h: a memfd, or negative
 * errno. */
int told_cuts(const struct told *t);
void told_free(struct told *t);

#endif
