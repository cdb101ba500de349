/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The draft of a policy that people of the site prepare together, with its approval. There is one
 * draft, in the file `draft` of the folder of the role control. Its texts are opaque bytes here. A
 * first line has the SHA-256 of all that follows, then comes a line of JSON, then the bundle of
 * texts; the file is replaced as a whole. A file that cannot be read is set aside: then there is no
 * draft and no approval. Control only.
 */
#ifndef SEKISHO_STORE_DRAFT_H
#define SEKISHO_STORE_DRAFT_H

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/store/generation.h"
#include "appliance/wire/orders.h"

#define DRAFT_AUTHORS 8u

enum draft_state {
	DRAFT_NONE,
	DRAFT_WRITTEN,	/* saved */
	DRAFT_ASKED,	/* it waits for the approval of a second person */
	DRAFT_APPROVED, /* it was approved */
	DRAFT_APPLIED,	/* it became `generation` */
	DRAFT_STATES
};

struct draft {
	enum draft_state state;
	/* increases with every save, and is never used twice, not even for another draft */
	uint64_t revision;
	uint64_t base;	     /* the generation that was in force when it was saved; 0 = none */
	uint64_t generation; /* DRAFT_APPLIED: the generation that it became */
	/* the generation whose trial was not confirmed in time, so that the approval is valid for
	 * one more trial; 0 = none */
	uint64_t ran_out;
	uint32_t n_authors;
	/* all accounts that saved a revision */
	char authors[DRAFT_AUTHORS][BY_BYTES];
	char by[BY_BYTES]; /* the account that saved this revision */
	/* the account that approved or declined it; "" = none */
	char decided_by[BY_BYTES];
	/* comments of `by` and of `decided_by` */
	char comment[COMMENT_BYTES], decision[COMMENT_BYTES];
	uint64_t saved_ns, decided_ns; /* wall time, 0 = not */
	uint8_t *texts;		       /* a bundle; owned; NULL = none */
	size_t n_texts;
	uint8_t digest[32]; /* SHA-256 of the texts */
};

/* The effect on a draft when a generation's state changes. */
enum draft_turn {
	DRAFT_STAYS,
	DRAFT_FALLS, /* its approval has ended */
	DRAFT_KEEPS, /* its trial ran out, and its approval is valid for one more trial */
};

const char *draft_state_name(enum draft_state s);
/* Removes the approval, and the request for it. */
void draft_undecided(struct draft *d);
/*
 * Updates the draft. `g`: the generation that it became (NULL: none, or not kept any more);
 * `newest`: the last number of the history; `in_force`: the generation in force. An approval is for
 * this text as the successor of `base`. It survives the end of one trial, and only if that trial
 * was not confirmed in time. It does not survive a rollback, a restart, another apply, or any later
 * generation. `ran_out` then shows that the draft was tried.
 */
enum draft_turn draft_settle(struct draft *d, const struct generation_record *g, uint64_t newest, uint64_t in_force);
/* Reads the draft. *ret_lost: the file cannot be read; a damaged one is set aside. 0, or negative
 * errno when memory or descriptors ran out; the file may then be good. */
int draft_open(int statefd, struct draft *ret, bool *ret_lost, struct err *e);
int draft_save(int statefd, const struct draft *d, struct err *e);
/* Replaces the texts by `texts`, which must be malloc'd and is taken over. */
void draft_texts(struct draft *d, uint8_t *texts, size_t n);
bool draft_has_author(const struct draft *d, const char *name);

#endif
