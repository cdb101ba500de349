/* SPDX-License-Identifier: Apache-2.0 */
/* Expected against dumped, as a list of differences. */
#ifndef SEKISHO_ENFORCE_VERIFY_H
#define SEKISHO_ENFORCE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/kernel/image.h"

struct arena;
struct enforce;
struct err;
struct ir;

/* Labels that a comparison has found right. Before the kernel's next transaction they need not be
 * read again. */
struct labels {
	bool known;
	struct arena *arena; /* owned */
	struct image image;  /* only the labels, and the number of the transaction */
};

struct difference {
	const char *where; /* "set exact4", "chain forward", a setting's name, "table" */
	/* extra, missing, changed, foreign, sysctl; for a packet: passes, refused, otherwise; for a
	 * chain: hook, policy; for the table: flags; for a set: shape */
	const char *what;
	/* what was found: a rule, an element, a value; "" when the other members say enough */
	const char *detail;
	const char *want; /* the expected value, NULL = not given */
	uint32_t line;	  /* policy line, 0 = none */
	bool ours;	  /* the difference is in our table, so it is mended */
};

struct differences {
	struct arena *arena; /* borrowed */
	struct difference *list;
	size_t n, room;
	bool table_gone; /* the whole table is missing */
	size_t ours;	 /* number of differences in our table (settings not counted) */
	size_t foreign, settings;
	uint64_t packets; /* number of test packets */
};

/* Reads everything back and compares. 0 (also if there are differences) or negative errno. */
int enforce_verify(struct enforce *f, struct arena *a, struct differences *ret, struct err *e);
/* As enforce_verify, for our table only, without settings. */
int enforce_compare(struct enforce *f, struct arena *a, struct differences *ret, struct err *e);
void enforce_labels_forget(struct labels *labels);
/* `ir`: the policy with which it was compared. */
json_t *differences_json(const struct differences *d, const struct ir *ir);

#endif
