/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a folder of records off-line, without the daemon: every line's form, hash and link, every number, and that the
 * log reaches its head. What cannot be judged from what is there is said to be that, not to be sound. Reads only. For the CLI and for auditors' machines.
 * A journal may write, pack and delete in the folder meanwhile: that is no fault.
 */
#ifndef SEKISHO_JOURNAL_VERIFY_H
#define SEKISHO_JOURNAL_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/journal/checkpoint.h"

enum journal_fault {
	FAULT_NONE,
	FAULT_FORM,    /* a line that is none of ours: torn or overwritten */
	FAULT_HASH,    /* a line was edited */
	FAULT_PREV,    /* a line was taken out, put in, or moved */
	FAULT_NUMBER,  /* numbers jump: records are missing */
	FAULT_SEGMENT, /* a segment's name does not fit its first line, or a segment is missing */
	FAULT_HEAD,    /* the log ends before a line that was surely on disk, or the head does not fit it */
	FAULT_TORN,    /* the last line is incomplete: the journal was stopped in the middle; no fault of the chain */
	FAULT_ANOTHER, /* the head is none of ours, or knows another record under that number */
	FAULT_SIGNATURE, /* a checkpoint signs other records than these: they were rewritten behind the checkpoint before it */
	FAULT_KEY, /* a checkpoint by a key that is none of the given ones: another box's records, or rewritten by somebody with a key of his own */
	FAULT_BEGIN, /* the first records are missing, and no signed record says that they were deleted */
	FAULT_SENT, /* a checkpoint that was sent off the box is none of these records': their end was cut, or they were rewritten */
	FAULT_TWICE, /* a segment's packed file says something else than its plain one */
};

/* What these files cannot show, however sound each of them is. A journal is whole when nothing is wrong and nothing open. */
#define JOURNAL_END_OPEN 1u   /* there is no head: records behind the last one may have been taken away */
#define JOURNAL_BEGIN_OPEN 2u /* it does not begin with record 1: those before it may be anywhere */
#define JOURNAL_SIGNED_OPEN                                                                                            \
	4u /* keys are given, and no record is signed, or more than JOURNAL_UNSIGNED_MOST behind the last that is */

/* A box signs behind each 1000 records; floods come in turns of up to 48 sources with 128 each. */
#define JOURNAL_UNSIGNED_MOST 8192u

const char *journal_fault_word(enum journal_fault f); /* "edited", ... for programs */

#define JOURNAL_FAULTS 16

struct journal_report {
	uint64_t records, first, last; /* lines that are sound; their lowest and highest number */
	uint64_t faults;	       /* all of them; torn ends are not counted */
	unsigned open;		       /* JOURNAL_*_OPEN */
	uint8_t head[32];	       /* hash of the last sound line */
	uint64_t deleted,
		deleted_by;   /* records up to this number went by the site's rule, as that record says; 0 = none */
	uint64_t checkpoints; /* that are good; with keys only, as the next two */
	uint64_t signed_to;   /* the last record that they sign, 0 = none */
	uint64_t sent;	      /* the record that the newest checkpoint sent off the box signs, 0 = none was given */
	struct {
		enum journal_fault what;
		char segment[48];
		uint64_t line;	/* in that file, from 1 */
		uint64_t seq;	/* 0 = unknown */
	} list[JOURNAL_FAULTS]; /* the first ones */
	size_t n;
};

/* "end", "begin": the n-th thing left open, NULL = there are no more. */
const char *journal_open_word(unsigned open, unsigned n);

/* What somebody has of a box from elsewhere; borrowed. */
struct journal_trust {
	const struct checkpoint_keys *keys;
	const struct checkpoint *sent; /* the newest checkpoint that is known elsewhere, NULL = none */
};

/*
 * 0 when the folder could be read (look at ret->faults and ret->open), or negative errno. `trust`: NULL = the chain alone is judged, which who rewrites
 * all of it can make anew.
 */
int journal_verify(const char *folder, const struct journal_trust *trust, struct journal_report *ret, struct err *e);
/*
 * The newest good checkpoint in a file of any text with records in its lines, as a log server keeps them, in the box's own form or in EVE: 1, 0 = there is
 * none, or negative errno. What stands around a checkpoint in its line does not matter: its signature says that the box made it.
 */
int journal_newest_checkpoint(const char *path, const struct checkpoint_keys *keys, struct checkpoint *ret,
			      struct err *e);

#endif
