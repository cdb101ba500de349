/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a folder of records off-line, without the daemon: every line's form, hash and link, every
 * number, and that the log reaches its head. Points that cannot be judged from these files are
 * reported as such, not as correct. Reads only. For the CLI and for auditors' machines. A journal
 * may write, pack and delete in the folder meanwhile: that is not reported as a fault.
 */
#ifndef SEKISHO_JOURNAL_VERIFY_H
#define SEKISHO_JOURNAL_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/journal/checkpoint.h"

enum journal_fault {
	FAULT_NONE,
#define FAULT(id, ...) id,
#include "appliance/journal/fault.def"
};

/* Points that these files cannot prove, even if all of them are correct. A journal is whole when it
 * has no fault and no open point. */
/* there is no head: records after the last one may have been removed */
#define JOURNAL_END_OPEN 1u
/* the records do not begin with record 1, and it is not known where the earlier ones are */
#define JOURNAL_BEGIN_OPEN 2u
/* keys are given, but no record is signed, or more than JOURNAL_UNSIGNED_MOST records follow the
 * last signed one */
#define JOURNAL_SIGNED_OPEN 4u

/* A box signs after 1000 records at the latest; in a flood, one turn may write up to 48 sources
 * with 128 records each. */
#define JOURNAL_UNSIGNED_MOST 8192u

const char *journal_fault_word(enum journal_fault f); /* "edited", ... for programs */

#define JOURNAL_FAULTS 16

struct journal_report {
	/* number of correct lines; their lowest and highest number */
	uint64_t records, first, last;
	uint64_t faults;  /* number of all faults; torn ends are not counted */
	unsigned open;	  /* JOURNAL_*_OPEN */
	uint8_t head[32]; /* hash of the last correct line */
	uint64_t deleted,
		/* records up to `deleted` were deleted by the site's rule, as record `deleted_by`
		 * says; 0 = none */
		deleted_by;
	/* number of good checkpoints; like the next two, set only when keys are given */
	uint64_t checkpoints;
	uint64_t signed_to; /* the last record that good checkpoints sign, 0 = none */
	/* the record that the newest checkpoint sent off the box signs, 0 = none was given */
	uint64_t sent;
	struct {
		enum journal_fault what;
		char segment[48];
		uint64_t line;	/* number of the line in that file, from 1 */
		uint64_t seq;	/* 0 = unknown */
	} list[JOURNAL_FAULTS]; /* the first faults */
	size_t n;
};

/* Keys and checkpoints of a box that come from elsewhere; borrowed. */
struct journal_trust {
	const struct checkpoint_keys *keys;
	/* the newest checkpoint that is known elsewhere, NULL = none */
	const struct checkpoint *sent;
};

/*
 * 0 when the folder could be read (see ret->faults and ret->open), or negative errno. `trust` NULL
 * = only the chain is judged, which an attacker who rewrites all records can make anew.
 */
int journal_verify(const char *folder, const struct journal_trust *trust, struct journal_report *ret, struct err *e);
/*
 * journal_verify in steps, for a process that has other work: `dirfd` and `trust` are borrowed
 * until the end. NULL without memory.
 */
struct journal_check;
struct journal_check *journal_check_new(int dirfd, const struct journal_trust *trust);
/* Looks at up to `lines` lines: 1 = there are more, 0 = the report is complete, or
 * negative errno. */
int journal_check_step(struct journal_check *c, size_t lines, struct err *e);
const struct journal_report *journal_check_report(const struct journal_check *c);
void journal_check_free(struct journal_check *c); /* accepts NULL */
/*
 * The newest good checkpoint in a file of any text with records in its lines, as a log server keeps
 * them, in the box's own form or in EVE: 1, 0 = there is none, or negative errno. The rest of the
 * line does not matter, because the signature proves that the box made the checkpoint.
 */
int journal_newest_checkpoint(const char *path, const struct checkpoint_keys *keys, struct checkpoint *ret,
			      struct err *e);

/* The result of checking a folder of records, as JSON (docs/json.md, `journal verify`). */

/* `keys`: the records were checked against these keys as well. Owned by the caller. */
json_t *journal_report_json(const struct journal_report *r, bool keys);

#endif
