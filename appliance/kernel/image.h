/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image of the kernel table: everything that `inet sekisho` holds, as plain data in one arena.
 *
 * image_expect() makes an image from a generation, netlink_dump from what it reads from the kernel.
 * Both have the same form: an apply sends the differences between the two, verify reports them, and
 * effective prints the one that was read. Runs in enforce. Pure but for the arena; it never talks
 * to the kernel and knows nothing of netlink.
 */
#ifndef SEKISHO_KERNEL_IMAGE_H
#define SEKISHO_KERNEL_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "policy/ir/ir.h"
#include "policy/ir/limits.h"
#include "policy/ir/rules.h"
#include "policy/ir/sets.h"

#define TABLE_NAME "sekisho"
#define BASE_CHAINS 6u /* CHAIN_GUARD .. CHAIN_OUTPUT */

/* All sets of the table: those of the IR, then enforce's own. */
enum table_set {
	TABLE_LANES = SET_COUNT, /* lane bits of the packet mark -> verdict */
	TABLE_OUTCOMES,		 /* outcome bits of the packet mark -> verdict */
	TABLE_UNANSWERED,	 /* lane bits of the packet mark -> verdict */
	TABLE_GENERATION,	 /* one element: the digest of the generation in force */
	/* permits that left the policy under on_tighten = "new_flows" and are still in use */
	TABLE_LINGERING,
	TABLE_SET_COUNT
};

#define SET_FIELDS 6u

/* How the kernel stores a set. Field lengths in bytes; in a key each field is padded to 4. */
struct set_spec {
	uint32_t key_len; /* sum of the padded fields */
	/* nft's number for the type of the key, for listings by nft; the kernel ignores it */
	uint32_t shown_as;
	/* largest number of elements, 0 = any; with a limit the kernel can use a faster kind of
	 * table */
	uint32_t most;
	uint8_t fields[SET_FIELDS]; /* 0 = unused */
	bool map;		    /* data: a mark */
	bool verdict_map;	    /* data: a verdict */
	bool interval;		    /* an element is a range in each field, from key to key_end */
	bool timeout;		    /* elements may end by themselves */
	uint8_t late_ms;	    /* how long an element stays after its end */
	bool counter;		    /* every element counts its lookups */
	/* the rules add elements for packets, so the elements are not compared */
	bool filled;
};

/* set < TABLE_SET_COUNT */
const struct set_spec *set_spec(unsigned set);
const char *set_name(unsigned set);

#define IMAGE_KEY 48u

enum image_verdict { VERDICT_NONE, VERDICT_ACCEPT, VERDICT_GOTO, VERDICT_FOREIGN };

struct image_element {
	uint8_t key[IMAGE_KEY];	    /* as the kernel stores it; key_len bytes are used */
	uint8_t key_end[IMAGE_KEY]; /* interval sets; elsewhere equal to key */
	uint32_t data;		    /* map: mark */
	uint8_t verdict;	    /* verdict map: enum image_verdict */
	uint8_t chain;		    /* VERDICT_GOTO: enum ir_chain, CHAIN_COUNT = not one of ours */
	uint32_t line;		    /* expected image: policy line, 0 = in every policy */
	uint64_t until;		    /* seconds since 1970: when it ends; 0 = never */
	/* in a dump: the counts of packets that matched the element; in an element to be added: the
	 * counts that it begins with */
	uint64_t packets, bytes;
};

struct image_elements {
	struct image_element *list; /* sorted by key after image_sort */
	size_t n, room;
};

struct image_rule {
	uint32_t chain;	  /* enum ir_chain */
	uint32_t line;	  /* expected image: policy line, 0 = in every policy */
	const char *text; /* canonical: one "[ ... ]" per kernel expression */
};

struct image_counter {
	bool present;
	uint64_t packets, bytes;
};

/* Something in the namespace that is not ours: "table ip nat", "chain inet sekisho hello". Verify
 * reports it. */
struct image_foreign {
	const char *what;
	/* the name by which the object is removed from our table; NULL = it is only reported */
	const char *name;
	uint8_t kind; /* enum foreign_kind */
};

enum foreign_kind { FOREIGN_TABLE, FOREIGN_CHAIN, FOREIGN_SET, FOREIGN_OBJECT };

struct image {
	struct arena *arena; /* borrowed */
	bool table;	     /* the table exists */
	/* the table has only flags that ours may have (not dormant, not owned by
	 * another program) */
	bool table_plain;
	bool table_persists;  /* the table outlives its owner (TABLE_PERSISTS) */
	uint32_t table_owner; /* port of the socket that owns the table, 0 = none does */
	/* the chain exists; for base chains, with the right type, hook and priority */
	bool chains[CHAIN_COUNT];
	bool chain_wrong[CHAIN_COUNT]; /* a chain of this name exists, but differs from that */
	bool policy_drop[BASE_CHAINS];
	struct image_rule *rules; /* in chain order, then rule order */
	size_t n_rules, room_rules;
	bool sets[TABLE_SET_COUNT];	 /* the set exists, and is as set_spec says */
	bool set_wrong[TABLE_SET_COUNT]; /* a set of this name exists, but differs from set_spec */
	struct image_elements elements[TABLE_SET_COUNT];
	struct image_counter counters[REASON_COUNT];
	struct image_foreign *foreign;
	size_t n_foreign, room_foreign;
	uint32_t generation_id; /* dump: the kernel's own transaction count */
	bool exact;		/* expected image: TIME_SLACK does not apply to its ends */
};

void image_init(struct image *i, struct arena *a); /* empties it; the arena is borrowed */
/* A zeroed element at the end of a set, or NULL when memory is out. */
struct image_element *image_add(struct image *i, unsigned set);
/* False when memory is out. `text` must live as long as the image. */
bool image_add_rule(struct image *i, uint32_t chain, uint32_t line, const char *text);
bool image_add_foreign(struct image *i, enum foreign_kind kind, const char *name, const char *what);
void image_sort(struct image *i); /* elements by key, then key_end */
/* Binary search in a sorted set; NULL when there is no such element. */
const struct image_element *image_find(const struct image *i, unsigned set, const uint8_t *key, const uint8_t *key_end);
/* false: the table names no generation */
bool image_digest(const struct image *i, uint8_t ret[32]);
/* how many cells and labels end by time */
size_t image_ends(const struct image *i);

/* One expected generation, and what else determines the expected table. */
struct expectation {
	const struct ir *ir;
	const uint32_t *ids; /* permit id per permit index */
	/* kernel index per interface of the generation; 0 = not there now */
	const uint32_t *interfaces;
	uint64_t now;		 /* seconds since 1970: elements that ended before are left out */
	uint64_t extra_lanes;	 /* lanes of lingering permits: bit n = lane n */
	struct ir_limits limits; /* in: limits of lingering permits; out: all limits in use */
	uint64_t lanes;		 /* out: all lanes in use */
	struct ir_rule *rules;	 /* out: the rules of the skeleton, in the image's arena */
	size_t n_rules;
};

/*
 * Adds chains, sets, counters and elements to the image, also the elements of TABLE_LANES,
 * TABLE_OUTCOMES, TABLE_UNANSWERED and TABLE_GENERATION. The rules' texts are added by
 * netlink_rule_texts(). 0, or -ENOMEM.
 */
int image_expect(struct image *i, struct expectation *x, struct err *e);
/* Adds the elements of `permit` in SET_LIVE and SET_AGREE as `from` has them, and notes the permit
 * in TABLE_LINGERING. */
int image_linger(struct image *i, const struct image *from, uint32_t permit);

/* One element that the kernel has to remove or to add. */
struct element_change {
	unsigned set;
	const struct image_element *element;
};

struct element_diff {
	struct element_change *gone, *added; /* a changed element is in both lists */
	size_t n_gone, n_added, room_gone, room_added;
};

/* seconds: the kernel's remaining time and our clock are not read at the same moment */
#define TIME_SLACK 2u

/*
 * Compares two sorted images. Ends that differ by at most TIME_SLACK are equal, unless `want` is
 * exact, and an element that ends within TIME_SLACK of `now` need not be added. An element that is
 * to be removed is always in the result, however near its end, because it lets packets pass until
 * then. 0 or -ENOMEM.
 */
int image_diff(const struct image *have, const struct image *want, uint64_t now, struct arena *a,
	       struct element_diff *ret);
/* Whether the end of the element is so near to `now` (both in seconds) that the kernel may or may
 * not have it. */
bool image_ending(const struct image_element *el, uint64_t now);
bool image_rules_equal(const struct image *have, const struct image *want);

/* Writes an element for people: "lan0 lan1 10.0.0.1 10.0.1.1 tcp 502 -> ...". The names of
 * interfaces come from `ir`, by means of `interfaces` (their indexes in the kernel); both may be
 * NULL. */
void image_element_text(unsigned set, const struct image_element *el, const struct ir *ir, const uint32_t *interfaces,
			char *out, size_t size);

#endif
