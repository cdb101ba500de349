/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The draft of a policy that people of the site prepare together, and who agreed to it: one, in the file `draft` of the state. Its texts are
 * bytes here that nobody looks into. A first line has the SHA-256 of all that follows, then comes a line of JSON, then the bundle of texts; the file is
 * replaced as a whole. What cannot be read is set aside: then there is no draft, and nobody's approval of one. Supervisor only.
 */
#ifndef SEKISHO_STORE_DRAFT_H
#define SEKISHO_STORE_DRAFT_H

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/store/generation.h"
#include "appliance/wire/change.h"

#define DRAFT_AUTHORS 8u

enum draft_state {
	DRAFT_NONE,
	DRAFT_WRITTEN,	/* saved */
	DRAFT_ASKED,	/* somebody else is to approve it */
	DRAFT_APPROVED, /* and did */
	DRAFT_APPLIED,	/* it became `generation` */
	DRAFT_STATES
};

struct draft {
	enum draft_state state;
	uint64_t revision;   /* rises with every save, and is never given twice, not to another draft either */
	uint64_t base;	     /* what was in force when it was saved; 0 = nothing */
	uint64_t generation; /* what DRAFT_APPLIED became */
	uint32_t n_authors;
	char authors[DRAFT_AUTHORS][BY_BYTES]; /* everybody who saved a revision of it; the last one is nowhere else */
	char by[BY_BYTES];		       /* who saved this revision */
	char decided_by[BY_BYTES];	       /* who approved it, or sent it back; "" = nobody */
	char comment[COMMENT_BYTES], decision[COMMENT_BYTES]; /* what they said */
	uint64_t saved_ns, decided_ns;			      /* wall time, 0 = not */
	uint8_t *texts;					      /* a bundle; owned; NULL = none */
	size_t n_texts;
	uint8_t digest[32]; /* SHA-256 of the texts */
};

const char *draft_state_name(enum draft_state s);
/* *ret_lost: what was there could not be read and was set aside. 0 or negative errno: out of memory or descriptors, so that it may be whole. */
int draft_open(int statefd, struct draft *ret, bool *ret_lost, struct err *e);
int draft_save(int statefd, const struct draft *d, struct err *e);
/* Takes `texts` (malloc'd) in the place of those that it has. */
void draft_texts(struct draft *d, uint8_t *texts, size_t n);
bool draft_has_author(const struct draft *d, const char *name);
void draft_free(struct draft *d);

#endif
