/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks: AST in, model out, every rule of the language held. Inside of policy_check(); one file per kind of object,
 * each with the table of its keys at the top: a new policy key is a row there, a field in the model, and its use.
 *
 * All memory is the compile run's arena, everything is read-only once made. A check reports and goes on with a harmless
 * value, so that one run tells of all mistakes; the model is given away only when there was none.
 */
#ifndef SEKISHO_POLICY_CHECK_CHECK_H
#define SEKISHO_POLICY_CHECK_CHECK_H

#include "policy/check/model.h"
#include "policy/read/ast.h"
#include "policy/read/compilation.h"

/* Names of one kind of object, sorted for search. */
struct names {
	const char **names; /* sorted */
	void **objects;	    /* in the same order */
	size_t n;
};

#define DATED 32u /* as many as a fleet has members */

struct check {
	struct compilation *c;
	const struct policy_loader *l;
	struct arena *a;
	struct diags *d;
	struct model *m;
	uint64_t now;		    /* seconds since 1970, for overdue dates */
	struct srcpos dated[DATED]; /* days that were judged last, the next one at n_dated */
	size_t n_dated;
	bool *unsure; /* by zone index: its networks could not all be read, so nothing is said to be outside it */
	const struct ast_node **networks; /* by zone index: the list of them, or NULL */
	struct names interfaces, zones, assets, services, windows, doors;
	const struct vocabulary *words; /* of the service whose rows are read, or NULL: for hints */
};

/* ---- sentences (check/say.c) ---- */

/* A part of a sentence in both languages. */
struct both {
	const char *text[2];
};

/* What a diagnostic is about: `noun` is a catalogue text with the object's name in it ("conduit \"%s\""). */
struct object {
	enum message noun;
	const char *name;
};

struct both both_same(const char *text);
struct both both_object(struct check *k, struct object o);
/* A diagnostic whose %s are a, b and c in each language; unused ones are empty. */
struct diag *check_say(struct check *k, enum severity s, const char *code, struct srcpos at, uint32_t width,
		       enum message m, struct both a, struct both b, struct both c);
/* At a node's value, about `o`, with one word. */
struct diag *check_value(struct check *k, enum severity s, const char *code, const struct ast_node *node,
			 enum message m, struct object o, const char *word);
/* Adds "did you mean" when a known word is near: true. Skipped once enough diagnostics were kept: it is the costly part. */
bool check_near(struct check *k, struct diag *g, const char *word, const char *const *known, size_t n);

/* ---- reading groups (check/keys.c) ---- */

/* What becomes of a key's value. */
enum key_use {
	KEY_BY_HAND,	 /* the object's own file reads it */
	KEY_TEXT,	 /* const char *: a text for people */
	KEY_TEXT_NEEDED, /* the same, not empty */
	KEY_TRUTH,	 /* bool */
	KEY_CHOICE,	 /* a position in `words`: an enum, or a bool of two words */
	KEY_NUMBER,	 /* uint32_t from lo to hi */
};

#define KEYS_MAX 80u /* of one object; a row of `allow` has those of its protocol's words */

/* A key of an object: all that is needed to read it, when its value goes into the model as it is. */
struct key {
	const char *name;
	unsigned kinds; /* AST_* that it may be */
	bool must;
	const char *example; /* shown when it is missing; NULL = none */
	enum key_use use;
	size_t at, size;	  /* the member of the model's object: see INTO */
	const char *const *words; /* KEY_CHOICE */
	int64_t lo, hi;		  /* KEY_NUMBER */
};
#define INTO(object, member) .at = offsetof(struct object, member), .size = sizeof(((struct object *)0)->member)
#define KEYS(table) (sizeof(table) / sizeof((table)[0]))

/*
 * Reads a group against its keys: ret[i] is the setting of keys[i], or NULL when it is absent or of the wrong type
 * (reported). What its row says goes into `object`, the model's; what is absent or wrong leaves it as it is. False when
 * `group` is no group at all.
 */
bool keys_read(struct check *k, const struct ast_node *group, const struct key *keys, size_t n, struct object o,
	       void *object, const struct ast_node **ret);
/* Says that the group needs this key. */
void key_missing(struct check *k, const struct ast_node *group, const struct key *key, struct object o);
/* The children of a list as AST nodes of `kinds`; others are reported and skipped. NULL `list` has none. */
const struct ast_node *list_next(struct check *k, const struct ast_node *list, const struct ast_node *last,
				 unsigned kinds, struct object o);
/* A text for people: no control characters, at most TEXT_MAX bytes. `fallback` when node is NULL. */
#define TEXT_MAX 500u
const char *text_of(struct check *k, const struct ast_node *node, struct object o, const char *fallback);
/* The same, but must not be empty. */
const char *text_needed(struct check *k, const struct ast_node *node, struct object o);
/* Position of the word in `words`, or `fallback` when node is NULL or the word is unknown (reported). */
size_t choice_of(struct check *k, const struct ast_node *node, struct object o, const char *const *words, size_t n,
		 size_t fallback);
int64_t number_of(struct check *k, const struct ast_node *node, struct object o, int64_t lo, int64_t hi,
		  int64_t fallback);
/* ASCII letters, digits, '-', '_' and '.', at most NAME_MAX_BYTES. Reports otherwise. */
#define NAME_MAX_BYTES 64u
bool name_check(struct check *k, const char *name, struct srcpos at, uint32_t width);

bool names_build(struct check *k, struct names *t, size_t n);
void *names_find(const struct names *t, const char *name);
/* Finds or reports: `m` takes the object and the word. */
void *names_need(struct check *k, const struct names *t, const struct ast_node *node, enum message m, const char *code,
		 struct object o);

/* ---- addresses (check/ranges.c) ---- */

struct ranges {
	struct addr_range *list;
	size_t n, room;
};

bool ranges_add(struct check *k, struct ranges *r, const struct addr_range *one);
/* Sorted, disjoint, touching ones joined. */
void ranges_merge(struct ranges *r);
/* `one` lies inside merged `list`. */
bool ranges_hold(const struct addr_range *list, size_t n, const struct addr_range *one);
/* Merged `all` without merged `less`. */
bool ranges_minus(struct check *k, const struct ranges *all, const struct ranges *less, struct ranges *ret);
/* All unicast addresses that a box can forward to, of both families. */
bool ranges_unicast(struct check *k, struct ranges *ret);
/* An address or prefix of the text, stray bits and rubbish reported. */
bool address_of(struct check *k, const struct ast_node *node, struct object o, struct addr_range *ret);

/* ---- networks that the box stands in (check/network.c) ---- */

/* After the zones: do box.cfg's facts fit each other and the zones? */
void check_network(struct check *k);
/* The `addresses` of an interface or of a network between interfaces, into `i`. */
void interface_addresses(struct check *k, const struct ast_node *list, struct object o, struct model_interface *i);
/* The network that the n-th address of an interface lies in. */
void interface_network(const struct model_interface *f, size_t n, struct addr_range *ret);
/* It lies in a network of the interface's addresses. */
bool in_network(const struct model_interface *f, const struct addr *a);
/* An address that a machine can have, the link-local ones among them. */
bool is_host(const struct addr *a);
/* One that every link has for itself (fe80::/10): without an interface it says nothing. */
bool is_of_a_link(const struct addr *a);
/*
 * An address that nobody can be asked at: the box's own, or a network's first or last. `only`: the interface by which it would be asked, or
 * NULL: any.
 */
bool is_nobody(const struct model_box *b, const struct addr *a, const struct model_interface *only);

/* ---- dates (check/time.c) ---- */

/* "2027-03-31"; *ret is the start of that day, UTC. */
bool date_parse(const char *text, uint64_t *ret);
/* A text that does not read: is it a day that does not exist? */
bool date_no_such_day(const char *text);
/* RFC 3339 with offset. */
bool time_parse(const char *text, uint64_t *ret);
/* "30 s", "10 min", "2 h", "1 d": a whole number and its unit, in seconds. */
bool duration_parse(const char *text, uint64_t *ret);

/* ---- when (check/windows.c) ---- */

/* 2200-01-01. The kernel's timeouts end after 584 years, and whoever writes 9999-12-31 means no end at all. */
#define UNTIL_MAX 7258118400u

/* The site's clocks: before all that speaks of hours or days. */
void check_time_zone(struct check *k, const struct ast_node *node, struct object o);
void check_windows(struct check *k, const struct ast_node *node);
/* The end of a day, or a moment with its offset. */
bool until_parse(struct check *k, const char *text, uint64_t *ret);
/* `within` and `starts` of a conduit, each may be NULL; after its `until`. */
void conduit_when(struct check *k, const struct ast_node *within, const struct ast_node *starts,
		  struct model_conduit *c, struct object o);

/* ---- doors (check/doors.c) ---- */

/* Before the conduits, which name them; and after the organisations, whether each is of use. */
void check_doors(struct check *k, const struct ast_node *node);
void check_doors_used(struct check *k);

/* ---- what registers ask for (check/ledger.c) ---- */

/* The fault of a day or moment where it can be told, the form otherwise. */
void hint_date(struct check *k, struct diag *g, const char *text, enum message form);
/* A day behind which something is to be done: what is said then. */
struct due {
	const char *code;
	enum message past, hint;
};
extern const struct due due_review, due_support;
/* Its text, "" where there is none. A day that many objects have from one place is judged once. */
const char *ledger_day(struct check *k, const struct ast_node *node, const struct due *what, struct object o);
/* After all objects: with site.ledger = "strict" none lacks anything. */
void check_ledger(struct check *k);

#define INTERFACES_MAX 256u /* of a box */

/* ---- one kind of object each; `node` is the section, NULL when the text has none ---- */

void check_box(struct check *k, const struct ast_node *root);
/* Without box.cfg: every interface that a zone names is a device of that name. */
void check_box_default(struct check *k, const struct ast_node *zones);
/* VLANs on cards that several interfaces share (check/vlan.c): names the device of an interface whose `vlan` was read ... */
void vlan_name(struct check *k, struct model_interface *i, const struct ast_node *vlan);
/* ... and holds all interfaces against each other. */
void check_vlans(struct check *k);
/*
 * Sides of one network (check/between.c): reads the list; after the zones, tells on which side each host is and makes the routes of it;
 * after the assets (check/answers.c), the hosts for which each side answers.
 */
void check_betweens(struct check *k, const struct ast_node *list);
void check_sides(struct check *k);
void check_answers(struct check *k);

/* ---- whom the box itself may reach, and who may reach it (check/peers.c) ---- */

/* Parts of box.cfg about hosts that the box itself speaks with, behind interfaces and routes; each may be NULL. */
struct peer_nodes {
	const struct ast_node *time, *log, *ups, *terminals, *update, *mail, *snmp;
};
void check_peers(struct check *k, const struct peer_nodes *n);
void check_site(struct check *k, const struct ast_node *node);
void check_zones(struct check *k, const struct ast_node *node);
/*
 * `r` lies outside the zone. True: one of the zone's networks lacks its prefix length, and would hold it with that; said of the network,
 * and nothing more is said to be outside of the zone.
 */
bool check_lone_network(struct check *k, const struct model_zone *z, const struct addr_range *r);
void check_assets(struct check *k, const struct ast_node *node);
void check_services(struct check *k, const struct ast_node *node);
void check_allows(struct check *k, const struct ast_node *list, struct model_service *s);
void check_conduits(struct check *k, const struct ast_node *node);
/* After the conduits, which end with the contract of whom they are from or to. */
void check_organisations(struct check *k, const struct ast_node *node);
void check_nevers(struct check *k, const struct ast_node *node);
void check_always(struct check *k, const struct ast_node *node);
void check_breaks(struct check *k, const struct ast_node *node);
/* After the conduits. */
void check_isolations(struct check *k, const struct ast_node *node);
/* Words of `commands` as CLASS_* bits. `v`: the functions that somebody may have meant instead, or NULL. */
unsigned classes_of(struct check *k, const struct ast_node *list, const struct vocabulary *v, struct object o);

#endif
