/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks: AST in, model out, with every rule of the language enforced. Internal to
 * policy_check(); one file per kind of object, each with the table of its keys at the top: a new
 * policy key is a row there, a field in the model, and its use.
 *
 * All memory is in the compile run's arena; everything is read-only once made. A check reports a
 * mistake and goes on with a harmless value, so that one run reports all mistakes; the model is
 * returned only when there was none.
 */
#ifndef SEKISHO_POLICY_CHECK_CHECK_H
#define SEKISHO_POLICY_CHECK_CHECK_H

#include "appliance/wire/notation.h"
#include "policy/check/model.h"
#include "policy/read/ast.h"
#include "policy/read/compilation.h"

/* Names of one kind of object, sorted for search. */
struct names {
	const char **names; /* sorted */
	void **objects;	    /* in the same order */
	size_t n;	    /* 0 until names_build */
	size_t added;
};

#define DATED 32u /* size of the cache of dates: the largest number of members of a fleet */

struct check {
	struct compilation *c;
	const struct policy_loader *l;
	struct arena *a;
	struct diags *d;
	struct model *m;
	uint64_t now; /* seconds since 1970, for overdue dates */
	/* the last dates that were judged, a ring buffer; the next one is stored at n_dated */
	struct srcpos dated[DATED];
	size_t n_dated;
	/* by zone index: some networks of the zone could not be read, so no address is reported as
	 * outside the zone */
	bool *unsure;
	/* by zone index: the zone's setting `networks`, or NULL */
	const struct ast_node **networks;
	struct names interfaces, zones, assets, services, windows, doors;
	/* errors that change nothing of what passes, such as a missing `purpose`: the proofs run
	 * all the same, so that one run finds all errors */
	size_t harmless;
};

/* ---- diagnostics (check/say.c) ---- */

/* A part of a sentence in both languages. */
struct both {
	const char *text[2];
};

/* The object of a diagnostic. `noun` is a catalogue text with the object's name in it
 * ("conduit \"%s\""). */
struct object {
	enum message noun;
	const char *name;
};

/* A diagnostic about an object; `x` and `y` are the words that its sentence has after the object; a
 * word that it does not have is "". */
struct diag *check_say(struct check *k, enum severity s, const char *code, struct srcpos at, uint32_t width,
		       enum message m, struct object o, const char *x, const char *y);
/* The same with words that differ by language. */
struct diag *check_both(struct check *k, enum severity s, const char *code, struct srcpos at, uint32_t width,
			enum message m, struct object o, struct both x, struct both y);
/* A diagnostic at a node's value about object `o`, with one word; check_hinted adds a hint that
 * needs no word. */
struct diag *check_value(struct check *k, enum severity s, const char *code, const struct ast_node *node,
			 enum message m, struct object o, const char *word);
struct diag *check_hinted(struct check *k, enum severity s, const char *code, const struct ast_node *node,
			  enum message m, struct object o, const char *word, enum message hint);
/* Reports a list without elements; `list` may be NULL. */
#define NO_HINT MESSAGE_COUNT
void check_not_empty(struct check *k, const struct ast_node *list, struct object o, enum message hint);
/* Reports a list of more than `most` elements, and then returns false; `list` may be NULL. */
bool check_fits(struct check *k, const struct ast_node *list, size_t most, struct object o);
/* Adds "did you mean" if a known word is similar, and then returns true. Skipped once many
 * diagnostics were kept, because it is slow. */
bool check_near(struct check *k, struct diag *g, const char *word, const char *const *known, size_t n);

/* ---- reading the keys of a group (check/keys.c) ---- */

/* How the value of a key is read. */
enum key_use {
	KEY_BY_HAND,	 /* the object's own file reads it */
	KEY_TEXT,	 /* const char *: a text for people */
	KEY_TEXT_NEEDED, /* the same, not empty */
	KEY_TRUTH,	 /* bool */
	KEY_CHOICE,	 /* a position in `words`: an enum, or a bool of two words */
	KEY_NUMBER,	 /* uint16_t or uint32_t from lo to hi */
};

#define KEYS_MAX 80u /* keys of one object, at most */

/* A key of an object. Unless it is KEY_BY_HAND, this is enough to read its value into the model. */
struct key {
	const char *name;
	unsigned kinds; /* allowed kinds of its value, AST_* */
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
 * Reads a group against its keys: ret[i] is the setting of keys[i], or NULL when it is absent or of
 * the wrong type (reported). Values are written to `object` of the model; for an absent or wrong
 * value, the member is left as it is. False when `group` is not a group.
 */
bool keys_read(struct check *k, const struct ast_node *group, const struct key *keys, size_t n, struct object o,
	       void *object, const struct ast_node **ret);
/* Reports that the group lacks this key. */
void key_missing(struct check *k, const struct ast_node *group, const struct key *key, struct object o);
/* The next element of `list` after `last` (NULL: the first) that has one of these kinds, or NULL.
 * Elements of other kinds are reported and skipped. `list` may be NULL. */
const struct ast_node *list_next(struct check *k, const struct ast_node *list, const struct ast_node *last,
				 unsigned kinds, struct object o);
/* A text for people: no control characters, at most TEXT_MAX bytes. `fallback` when node
 * is NULL. */
#define TEXT_MAX 500u
const char *text_of(struct check *k, const struct ast_node *node, struct object o, const char *fallback);
/* The same, but must not be empty. */
const char *text_needed(struct check *k, const struct ast_node *node, struct object o);
/* Position of the word in `words`, or `fallback` when node is NULL or the word is
 * unknown (reported). */
size_t choice_of(struct check *k, const struct ast_node *node, struct object o, const char *const *words, size_t n,
		 size_t fallback);
/* The words of a list as bits by their positions in `words`. `all`: the words for a hint. */
unsigned words_of(struct check *k, const struct ast_node *list, const char *const *words, size_t n, const char *all,
		  struct object o);
int64_t number_of(struct check *k, const struct ast_node *node, struct object o, int64_t lo, int64_t hi,
		  int64_t fallback);
/* ASCII letters, digits, '-', '_' and '.', at most NAME_MAX_BYTES. Reports otherwise. */
#define NAME_MAX_BYTES 64u
bool name_check(struct check *k, const char *name, struct srcpos at, uint32_t width);

/* names_new makes room for n names, names_put adds one, and names_build sorts them: only then they
 * can be found. False: no memory. */
bool names_new(struct check *k, struct names *t, size_t n);
void names_put(struct names *t, const char *name, void *object);
bool names_build(struct check *k, struct names *t);
void *names_find(const struct names *t, const char *name);
/* The label of what the table holds at `i`; "" if it has none. */
typedef const char *label_reader(const struct check *k, const struct names *t, size_t i);
/* Adds a hint for a word that names nothing in the table: the name of what is labelled so, or the
 * nearest name. False: no hint. */
bool names_hint(struct check *k, const struct names *t, struct diag *g, const char *word, label_reader *label);
/* Finds what the word of `node` names. If there is nothing of that name, reports `m`; its arguments
 * are the object `o` and the word. */
void *names_need(struct check *k, const struct names *t, const struct ast_node *node, enum message m, const char *code,
		 struct object o);

/* ---- addresses (check/ranges.c) ---- */

struct ranges {
	struct addr_range *list;
	size_t n, room;
};

bool ranges_add(struct check *k, struct ranges *r, const struct addr_range *one);
/* Makes the list sorted and disjoint, and joins touching ranges. */
void ranges_merge(struct ranges *r);
/* Whether `one` is inside the merged `list`. */
bool ranges_hold(const struct addr_range *list, size_t n, const struct addr_range *one);
/* *ret: the addresses of `all` that are not in `less`. Both must be merged. */
bool ranges_minus(struct check *k, const struct ranges *all, const struct ranges *less, struct ranges *ret);
/* All unicast addresses that a box can forward to, of both families. */
bool ranges_unicast(struct check *k, struct ranges *ret);
/* Reads an address or prefix; bits beyond the prefix and invalid texts are reported. */
bool address_of(struct check *k, const struct ast_node *node, struct object o, struct addr_range *ret);

/* ---- networks of the box (check/network.c) ---- */

/* To be called after the zones: checks whether the entries of box.cfg fit each other and
 * the zones. */
void check_network(struct check *k);
/* Reads the `addresses` of an interface, or of a network between interfaces, into `i`. */
void interface_addresses(struct check *k, const struct ast_node *list, struct object o, struct model_interface *i);
/* The network that the n-th address of an interface lies in. */
void interface_network(const struct model_interface *f, size_t n, struct addr_range *ret);
/* Whether the address is in a network of the interface. */
bool in_network(const struct model_interface *f, const struct addr *a);
/* The interface through which the route's gateway is reached, or NULL. */
const struct model_interface *gateway_side(const struct model_box *b, const struct model_route *r);
/* Whether a host can have this address. A link-local address counts, too. */
bool is_host(const struct addr *a);
/* Whether the address is IPv6 link-local (fe80::/10), which means nothing without an interface. */
bool is_of_a_link(const struct addr *a);
/*
 * Whether no other host can have this address: it is the box's own, or the first or last one of a
 * network. `only`: the interface by which it would be reached; NULL: any.
 */
bool is_nobody(const struct model_box *b, const struct addr *a, const struct model_interface *only);

/* ---- dates (check/time.c) ---- */

/* "2027-03-31"; *ret is the start of that day, UTC. */
bool date_parse(const char *text, uint64_t *ret);
/* RFC 3339 with offset. */
bool time_parse(const char *text, uint64_t *ret);

/* ---- time zone, windows and end times (check/windows.c) ---- */

/* 2200-01-01. The kernel's timeouts are limited to 584 years, and a person who writes 9999-12-31
 * means that there is no end. */
#define UNTIL_MAX 7258118400u

/* Reads the time zone of the site. To be called before everything with hours or dates. */
void check_time_zone(struct check *k, const struct ast_node *node, struct object o);
void check_windows(struct check *k, const struct ast_node *node);
/*
 * Reads `until` or `contract_until`: a day, which means its end in the site's time zone, or a
 * moment with its offset. `past`: the message for a day or moment that is over. *ret is unchanged
 * if the value is invalid.
 */
void end_moment(struct check *k, const struct ast_node *node, enum message past, struct object o, uint64_t *ret);
/* Warns of conduits that are not in force at any moment from now on, though their end is ahead. To
 * be called after the contracts, which end conduits. */
void report_never_open(struct check *k);
/* Reads `within` and `starts` of a conduit; each may be NULL. To be called after its `until`. */
void conduit_when(struct check *k, const struct ast_node *within, const struct ast_node *starts,
		  struct model_conduit *c, struct object o);

/* ---- doors (check/doors.c) ---- */

/* check_doors comes before the conduits, which name doors. check_doors_used comes after the
 * organisations, and checks whether each door is used. */
void check_doors(struct check *k, const struct ast_node *node);
void check_doors_used(struct check *k);

/* ---- entries for the registers (check/ledger.c) ---- */

/* Adds a hint: the day or moment that was meant, or else the form that it should have. */
void hint_date(struct check *k, struct diag *g, const char *text, enum message form);
/* A date by which something has to be done, and the messages about it. */
struct due {
	const char *code;
	enum message past, hint;
};
extern const struct due due_review, due_support;
/* Reads the date; "" where there is none. A date that many objects take from one place of the text
 * is judged once. */
const char *ledger_day(struct check *k, const struct ast_node *node, const struct due *what, struct object o);
/* To be called after all objects: with site.ledger = "strict", reports objects that
 * lack entries. */
void check_ledger(struct check *k);

#define INTERFACES_MAX 256u /* interfaces of a box, at most */

/* ---- kinds of objects; `node`: the section of the kind, NULL when the text has none ---- */

void check_box(struct check *k, const struct ast_node *root);
/* Used without box.cfg: every interface that a zone names is a device of that name. */
void check_box_default(struct check *k, const struct ast_node *zones);
/* VLANs on a card (check/box.c): derives the device name of an interface whose `vlan` was read. */
void vlan_name(struct check *k, struct model_interface *i, const struct ast_node *vlan);
/* Compares the VLANs of all interfaces. */
void check_vlans(struct check *k);
/*
 * Sides of one network (check/between.c). check_betweens reads the list. check_sides comes after
 * the zones: it finds the side of each host, and makes a route to the host. check_answers comes
 * after the assets: it finds the hosts for which each side answers.
 */
void check_betweens(struct check *k, const struct ast_node *list);
void check_sides(struct check *k);
void check_answers(struct check *k);

/* ---- hosts with which the box itself communicates (check/peers.c) ---- */

/* Reads the parts of box.cfg about hosts with which the box itself communicates: time, log, UPS,
 * terminals, update, mail, SNMP, backup; NULL where there is none. */
#define PEER_NODES 8u
void check_peers(struct check *k, const struct ast_node *const nodes[PEER_NODES]);
void check_site(struct check *k, const struct ast_node *node);
void check_zones(struct check *k, const struct ast_node *node);
/*
 * For an `r` outside the zone: returns true if one of the zone's networks was written without a
 * prefix length, and would contain `r` with one. This is reported once for the network, and no
 * further address is reported as outside the zone.
 */
bool check_lone_network(struct check *k, const struct model_zone *z, const struct addr_range *r);
void check_assets(struct check *k, const struct ast_node *node);
void check_services(struct check *k, const struct ast_node *node);
/* The services that the list names. Returns how many. */
size_t check_services_named(struct check *k, const struct ast_node *list, struct object o,
			    const struct model_service ***ret);
void check_allows(struct check *k, const struct ast_node *list, struct model_service *s);
/* Returns the zone. Refuses `self`, because no conduit begins or ends at the box itself. */
const struct model_zone *check_not_self(struct check *k, const struct ast_node *node, const struct model_zone *z,
					struct object o);
void check_conduits(struct check *k, const struct ast_node *node);
/* To be called after the conduits, because it sets when they end: a conduit from or to the zone of
 * an organisation ends with the organisation's contract at the latest. */
void check_organisations(struct check *k, const struct ast_node *node);
void check_nevers(struct check *k, const struct ast_node *node);
void check_always(struct check *k, const struct ast_node *node);
void check_breaks(struct check *k, const struct ast_node *node);
/* To be called after the conduits. */
void check_isolations(struct check *k, const struct ast_node *node);
/* Reads words of `commands` as CLASS_* bits. `v`: a vocabulary for hints about function names,
 * or NULL. */
unsigned classes_of(struct check *k, const struct ast_node *list, const struct vocabulary *v, struct object o);

/* ---- what an invalid value was meant to be (check/meant.c) ----------------------------------- */

/*
 * What a text was probably meant to be, if it is in the notation of spreadsheets or of other
 * products (the rows of meant.def). Only for hints: no value is ever accepted in such a notation.
 */

/*
 * Undoes what input methods and spreadsheets make of a text: the result has half-width digits and
 * signs, ordinary blanks and only between words, and '-' for every dash and wave. NULL when memory
 * is out.
 */
char *meant_plain(struct arena *a, const char *text);
/* Whether the text means everything: "any", "all", "*", 「すべて」. `plain` may be NULL. */
bool meant_everything(const char *plain);
/*
 * These functions return what to write instead, in quotes and in the arena: the language accepts
 * it. NULL: the text means nothing of that kind. For an address with bits behind its mask
 * ("10.1.2.3/24") meant_address returns the network if `network` is set; otherwise the host.
 */
const char *meant_address(struct arena *a, bool network, const char *text);
/* A port on a transport that protocol `p` can use; with PROTO_NONE, on any transport. */
const char *meant_port(struct arena *a, enum protocol p, const char *text);
const char *meant_span(struct arena *a, const char *text);
const char *meant_number(struct arena *a, const struct notation *n, const char *text);
/* `whole`: a point in time, in Japan if the text has no offset; otherwise a day. */
const char *meant_date(struct arena *a, const char *text, bool whole);

#endif
