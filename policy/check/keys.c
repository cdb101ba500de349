/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "appliance/base/utf8.h"
#include "policy/check/check.h"

/* The kind of value that a key wants, in words. */
static enum message kinds_word(unsigned kinds)
{
	if ((kinds & AST_GROUP) != 0)
		return MP_KIND_GROUP;
	if ((kinds & AST_LISTS) != 0)
		return MP_KIND_LIST;
	if ((kinds & AST_STRING) != 0 && (kinds & AST_NUMBER) != 0)
		return MP_KIND_STRING_OR_NUMBER;
	if ((kinds & AST_STRING) != 0)
		return MP_KIND_STRING;
	return (kinds & AST_NUMBER) != 0 ? MP_KIND_NUMBER : MP_KIND_BOOL;
}

static struct both kind_both(enum message m)
{
	return (struct both){ { message_format(m, LANG_EN), message_format(m, LANG_JA) } };
}

/* The example is in the reader's language. */
static void example_hint(struct check *k, struct diag *g, const struct key *key)
{
	static const struct {
		const char *key;
		enum message hint;
	} worded[] = {
		{ "purpose", MP_EXAMPLE_PURPOSE },
		{ "owner", MP_EXAMPLE_OWNER },
		{ "reason", MP_EXAMPLE_REASON },
	};

	for (size_t i = 0; i < sizeof(worded) / sizeof(worded[0]); i++)
		if (strcmp(key->name, worded[i].key) == 0)
			diag_hint(k->d, g, worded[i].hint);
	if (key->example != NULL)
		diag_hint(k->d, g, MP_HINT_ADD, key->example);
}

/* For a value that has a wrong kind and is a text or number: suggests how to write it for this key.
 * True: a hint was given. */
static bool kind_hint(struct check *k, struct diag *g, const struct ast_node *node, unsigned kinds, const char *key,
		      bool element)
{
	bool several = false, list = (kinds & AST_LISTS) != 0, number = node->kind == AST_NUMBER;
	const char *text = number ? arena_printf(k->a, "%ld", (long)node->number) : node->string, *meant;

	if (k->d->errors > DIAG_SHOWN || (!number && node->kind != AST_STRING) || text == NULL)
		return false;
	meant = meant_for_key(k->a, key, text, &several);
	if (meant == NULL || (several && !list && !element))
		return false;
	if (list)
		meant = arena_printf(k->a, several ? "%s = %s;" : "%s = [%s];", key, meant);
	if (meant != NULL)
		diag_hint(k->d, g, list ? MP_HINT_SETTING_OF : several ? MP_HINT_SEVERAL : MP_HINT_WRITE, meant);
	return meant != NULL;
}

/* Reports a value of a wrong kind. `key` is NULL for an element of `list`, or for an object that
 * has to be a group. */
static void wrong_kind(struct check *k, const struct ast_node *node, unsigned kinds, struct object o,
		       const struct key *key, const struct ast_node *list)
{
	struct both wanted = kind_both(kinds_word(kinds));
	struct diag *g;

	if (key == NULL) {
		g = check_both(k, SEV_ERROR, "policy.wrong_type", node->value_at, node->value_width, MP_WRONG_ELEMENT,
			       o, wanted, (struct both){ { "", "" } });
		if (list != NULL && list->name != NULL && !kind_hint(k, g, node, kinds, list->name, true) &&
		    strcmp(list->name, "ports") == 0)
			diag_hint(k->d, g, MP_HINT_PORT);
		return;
	}
	g = check_both(k, SEV_ERROR, "policy.wrong_type", node->value_at, node->value_width, MP_WRONG_TYPE, o,
		       (struct both){ { key->name, key->name } }, wanted);
	if (kind_hint(k, g, node, kinds, key->name, false))
		return;
	if ((kinds & AST_LISTS) == AST_LIST)
		diag_hint(k->d, g, MP_HINT_AS_GROUPS, key->name);
	else if ((kinds & AST_LISTS) != 0 && node->kind == AST_STRING)
		diag_hint(k->d, g, MP_HINT_AS_LIST, key->name, node->string);
	else if ((kinds & AST_LISTS) != 0 && node->kind == AST_NUMBER)
		diag_hint(k->d, g, MP_HINT_AS_LIST_NUMBER, key->name, (long)node->number);
	else
		example_hint(k, g, key);
}

static size_t key_find(const struct key *keys, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && (keys[i].name[0] != name[0] || strcmp(keys[i].name, name) != 0))
		i++;
	return i;
}

/* "a, b, c" */
static const char *all_keys(struct check *k, const struct key *keys, size_t n)
{
	size_t size = 1, at = 0;
	char *text;

	for (size_t i = 0; i < n; i++)
		size += strlen(keys[i].name) + 2;
	text = arena_alloc(k->a, size);
	for (size_t i = 0; i < n && text != NULL; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%s", i > 0 ? ", " : "", keys[i].name);
	return text;
}

static void unknown_key(struct check *k, const struct ast_node *node, const struct key *keys, size_t n, struct object o)
{
	const char *known[KEYS_MAX], *all;
	struct diag *g =
		check_say(k, SEV_ERROR, "policy.unknown_key", node->at, node->width, MP_UNKNOWN_KEY, o, node->name, "");

	for (size_t i = 0; i < n && i < KEYS_MAX; i++)
		known[i] = keys[i].name;
	if (check_near(k, g, node->name, known, n < KEYS_MAX ? n : KEYS_MAX) || k->d->errors > DIAG_SHOWN)
		return;
	all = all_keys(k, keys, n);
	if (all != NULL)
		diag_hint(k->d, g, MP_HINT_ONE_OF, all);
}

static void take_value(struct check *k, const struct ast_node *node, const struct key *key, struct object o,
		       void *object)
{
	char *to = (char *)object + key->at;
	const char *text;
	uint32_t number;
	uint16_t small;
	bool truth;
	size_t choice;

	switch (key->use) {
	case KEY_BY_HAND:
		return;
	case KEY_TEXT:
	case KEY_TEXT_NEEDED:
		text = key->use == KEY_TEXT ? text_of(k, node, o, "") : text_needed(k, node, o);
		memcpy(to, (const void *)&text, sizeof(text));
		return;
	case KEY_TRUTH:
		truth = node->truth;
		memcpy(to, &truth, sizeof(truth));
		return;
	case KEY_NUMBER:
		number = (uint32_t)number_of(k, node, o, key->lo, key->hi, key->lo);
		small = (uint16_t)number;
		memcpy(to, key->size == sizeof(small) ? (const void *)&small : (const void *)&number, key->size);
		return;
	case KEY_CHOICE:
		choice = choice_of(k, node, o, key->words, words_n(key->words), SIZE_MAX);
		number = (uint32_t)choice;
		truth = choice == 1;
		if (choice != SIZE_MAX)
			memcpy(to, key->size == sizeof(bool) ? (const void *)&truth : (const void *)&number, key->size);
		return;
	}
}

void key_missing(struct check *k, const struct ast_node *group, const struct key *key, struct object o)
{
	k->harmless += key->use == KEY_TEXT_NEEDED || strcmp(key->name, "review_by") == 0;
	example_hint(k,
		     check_say(k, SEV_ERROR, "policy.missing_key", group->at, group->width, MP_MISSING_KEY, o,
			       key->name, ""),
		     key);
}

bool keys_read(struct check *k, const struct ast_node *group, const struct key *keys, size_t n, struct object o,
	       void *object, const struct ast_node **ret)
{
	bool seen[KEYS_MAX] = { false };

	memset(ret, 0, n * sizeof(void *));
	if (group->kind != AST_GROUP) {
		wrong_kind(k, group, AST_GROUP, o, NULL, NULL);
		return false;
	}
	for (const struct ast_node *c = group->child; c != NULL; c = c->next) {
		size_t i = key_find(keys, n, c->name);

		if (i == n) {
			unknown_key(k, c, keys, n, o);
			continue;
		}
		seen[i] = true;
		if ((c->kind & keys[i].kinds) != 0)
			ret[i] = c;
		else
			wrong_kind(k, c, keys[i].kinds, o, &keys[i], NULL);
	}
	for (size_t i = 0; i < n; i++)
		if (keys[i].must && !seen[i])
			key_missing(k, group, &keys[i], o);
	for (size_t i = 0; i < n; i++)
		if (ret[i] != NULL)
			take_value(k, ret[i], &keys[i], o, object);
	return true;
}

const struct ast_node *list_next(struct check *k, const struct ast_node *list, const struct ast_node *last,
				 unsigned kinds, struct object o)
{
	const struct ast_node *c = last != NULL ? last->next : list != NULL ? list->child : NULL;

	while (c != NULL && (c->kind & kinds) == 0) {
		wrong_kind(k, c, kinds, o, NULL, list);
		c = c->next;
	}
	return c;
}

const char *text_of(struct check *k, const struct ast_node *node, struct object o, const char *fallback)
{
	size_t errors = k->d->errors;

	if (node == NULL)
		return fallback;
	if (!utf8_is_plain(bytes_of(node->string, strlen(node->string))))
		check_value(k, SEV_ERROR, "policy.text", node, MP_TEXT_CONTROL, o,
			    node->name != NULL ? node->name : "");
	else if (strlen(node->string) > TEXT_MAX)
		diag_hint(k->d,
			  check_value(k, SEV_ERROR, "policy.text", node, MP_TEXT_LONG, o,
				      node->name != NULL ? node->name : ""),
			  MP_HINT_TEXT_LONG, TEXT_MAX);
	k->harmless += k->d->errors - errors;
	return node->string;
}

const char *text_needed(struct check *k, const struct ast_node *node, struct object o)
{
	const char *s = text_of(k, node, o, "");

	if (node != NULL && text_is_blank(s, TEXT_MAX)) {
		k->harmless++;
		check_value(k, SEV_ERROR, "policy.text", node, MP_TEXT_EMPTY, o, node->name != NULL ? node->name : "");
	}
	return s;
}

static void word_list(struct check *k, struct diag *g, const char *const *words, size_t n)
{
	const char *text = "";

	for (size_t i = 0; i < n && text != NULL; i++)
		text = arena_printf(k->a, "%s%s%s", text, i > 0 ? ", " : "", words[i]);
	if (text != NULL)
		diag_hint(k->d, g, MP_HINT_ONE_OF, text);
}

size_t choice_of(struct check *k, const struct ast_node *node, struct object o, const char *const *words, size_t n,
		 size_t fallback)
{
	struct diag *g;

	if (node == NULL)
		return fallback;
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], node->string) == 0)
			return i;
	g = check_say(k, SEV_ERROR, "policy.unknown_word", node->value_at, node->value_width, MP_UNKNOWN_WORD, o,
		      node->string, node->name != NULL ? node->name : "");
	check_near(k, g, node->string, words, n);
	if (g->hint[LANG_EN] == NULL && k->d->errors <= DIAG_SHOWN)
		word_list(k, g, words, n);
	return fallback;
}

unsigned words_of(struct check *k, const struct ast_node *list, const char *const *words, size_t n, const char *all,
		  struct object o)
{
	unsigned bits = 0;

	for (const struct ast_node *e = NULL; (e = list_next(k, list, e, AST_STRING, o)) != NULL;) {
		size_t i = 0;

		while (i < n && strcmp(words[i], e->string) != 0)
			i++;
		if (i < n)
			bits |= 1u << i;
		else
			diag_hint(k->d,
				  check_say(k, SEV_ERROR, "policy.unknown_word", e->value_at, e->value_width,
					    MP_UNKNOWN_WORD, o, e->string, list->name),
				  MP_HINT_ONE_OF, all);
	}
	return bits;
}

int64_t number_of(struct check *k, const struct ast_node *node, struct object o, int64_t lo, int64_t hi,
		  int64_t fallback)
{
	struct diag *g;

	if (node == NULL)
		return fallback;
	if (node->number >= lo && node->number <= hi)
		return node->number;
	g = check_value(k, SEV_ERROR, "policy.number", node, MP_NUMBER_RANGE, o, node->name != NULL ? node->name : "");
	diag_hint(k->d, g, MP_HINT_RANGE, (long)lo, (long)hi);
	return fallback;
}

bool name_check(struct check *k, const char *name, struct srcpos at, uint32_t width)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
	struct diag *g;

	if (n > 0 && name[n] == '\0' && n <= NAME_MAX_BYTES && name[0] != '-' && name[0] != '.')
		return true;
	g = diag_add(k->d, SEV_ERROR, "policy.name", at, MP_NAME_CHECK, name);
	g->width = width;
	diag_hint(k->d, g, MP_HINT_NAME_CHECK, NAME_MAX_BYTES);
	return false;
}

struct pair {
	const char *name;
	void *object;
};

static int by_name(const void *pa, const void *pb)
{
	const struct pair *a = pa, *b = pb;

	return strcmp(a->name, b->name);
}

bool names_new(struct check *k, struct names *t, size_t n)
{
	*t = (struct names){ .names = arena_array(k->a, n, sizeof(t->names[0])),
			     .objects = arena_array(k->a, n, sizeof(t->objects[0])) };
	return t->names != NULL && t->objects != NULL;
}

void names_put(struct names *t, const char *name, void *object)
{
	t->names[t->added] = name;
	t->objects[t->added++] = object;
}

bool names_build(struct check *k, struct names *t)
{
	struct pair *pairs = arena_array(k->a, t->added, sizeof(*pairs));

	if (pairs == NULL)
		return false;
	for (size_t i = 0; i < t->added; i++)
		pairs[i] = (struct pair){ t->names[i], t->objects[i] };
	qsort(pairs, t->added, sizeof(*pairs), by_name);
	for (size_t i = 0; i < t->added; i++) {
		t->names[i] = pairs[i].name;
		t->objects[i] = pairs[i].object;
	}
	t->n = t->added;
	return true;
}

void *names_find(const struct names *t, const char *name)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(name, t->names[mid]);

		if (c == 0)
			return t->objects[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* ---- names ----------------------------------------------------------------------------------- */

static const char *label_of(const struct check *k, const struct names *t, size_t i)
{
	if (t == &k->zones)
		return ((const struct model_zone *)t->objects[i])->label;
	if (t == &k->assets)
		return ((const struct model_asset *)t->objects[i])->label;
	return t == &k->services ? ((const struct model_service *)t->objects[i])->label : "";
}

/* Whether the i-th object has this label, in any width of letters. `plain` is the word from
 * meant_plain(). */
static bool is_labelled(struct check *k, const struct names *t, size_t i, const char *plain)
{
	const char *label = t->objects[i] != NULL ? label_of(k, t, i) : "", *as_plain;

	if (label[0] == '\0')
		return false;
	as_plain = strcmp(label, plain) != 0 ? meant_plain(k->a, label) : plain;
	return as_plain != NULL && strcasecmp(as_plain, plain) == 0;
}

/* Whether the word is the name or label of the i-th object, in any case or width of letters. */
static bool is_called(struct check *k, const struct names *t, size_t i, const char *plain)
{
	return strcasecmp(t->names[i], plain) == 0 || is_labelled(k, t, i, plain);
}

/* The object with this name or label. */
static void *called(struct check *k, const struct names *t, const char *word)
{
	void *found = names_find(t, word);

	for (size_t i = 0; i < t->n && found == NULL; i++)
		if (is_called(k, t, i, word))
			found = t->objects[i];
	return found;
}

/* For a word where a zone is expected: hints at the zone of the asset, address or interface that
 * the word names. True: a hint was given. */
static bool zone_hint(struct check *k, struct diag *g, const char *word)
{
	const struct model_asset *asset = called(k, &k->assets, word);
	const struct model_interface *f = names_find(&k->interfaces, word);
	const struct model *m = k->m;
	struct addr_range r;
	bool stray;

	if (asset != NULL && asset->zone != NULL) {
		diag_hint(k->d, g, MP_HINT_ASSETS_ZONE, word, asset->name, asset->zone->name);
		return true;
	}
	for (size_t z = 0; z < m->n_zones; z++) {
		bool is = prefix_parse(word, &r, &stray) && ranges_hold(m->zones[z].ranges, m->zones[z].n_ranges, &r);

		for (size_t i = 0; i < m->zones[z].n_interfaces && !is; i++)
			is = f != NULL && m->zones[z].interfaces[i] == f;
		if (is)
			diag_hint(k->d, g, MP_HINT_ZONE_OF, word, m->zones[z].name);
		if (is)
			return true;
	}
	return false;
}

/* The services with a protocol, or with a port, as "a", "b"; "" when there are none. */
static const char *services_with(struct check *k, enum protocol p, const struct ir_port *port)
{
	const char *text = "";

	for (size_t i = 0; i < k->m->n_services && text != NULL; i++) {
		const struct model_service *s = &k->m->services[i];
		bool is = port == NULL && s->protocol == p;

		for (size_t j = 0; j < s->n_ports && port != NULL && !is; j++)
			is = s->ports[j].l4proto == port->l4proto && s->ports[j].lo <= port->lo &&
			     port->hi <= s->ports[j].hi;
		if (is)
			text = arena_printf(k->a, "%s%s\"%s\"", text, text[0] != '\0' ? ", " : "", s->name);
	}
	return text != NULL ? text : "";
}

/* Adds a hint if the word names an object of another kind. */
static bool other_hint(struct check *k, const struct names *t, struct diag *g, const char *word)
{
	const struct model_zone *zone = t != &k->zones ? called(k, &k->zones, word) : NULL;
	const struct model_asset *asset = t != &k->assets ? called(k, &k->assets, word) : NULL;
	const struct model_service *service = t != &k->services ? called(k, &k->services, word) : NULL;

	if (zone != NULL)
		diag_hint(k->d, g, MP_HINT_IS_ZONE, word, zone->name);
	else if (asset != NULL)
		diag_hint(k->d, g, MP_HINT_IS_ASSET, word, asset->name);
	else if (service != NULL)
		diag_hint(k->d, g, MP_HINT_IS_SERVICE, word, service->name);
	else if (protocol_by_name(word) != PROTO_NONE)
		diag_hint(k->d, g, MP_HINT_IS_PROTOCOL, word);
	else
		return false;
	return true;
}

/* For a word where a service is expected: hints at the services with the protocol or port that the
 * word names. */
static bool service_hint(struct check *k, struct diag *g, const char *word)
{
	enum protocol p = protocol_by_name(word);
	struct ir_port port;
	const char *value, *list;
	bool several;

	p = p != PROTO_NONE ? p : protocol_also_called(word);
	if (p != PROTO_NONE) {
		list = services_with(k, p, NULL);
		word = protocol_info(p)->name;
		if (list[0] != '\0')
			diag_hint(k->d, g, MP_HINT_SERVICES_OF, word, list);
		else
			diag_hint(k->d, g, MP_HINT_SERVICE_OF, word, word, word);
		return true;
	}
	/* before the port, because a name may contain digits too */
	if (other_hint(k, &k->services, g, word))
		return true;
	value = meant_port(k->a, PROTO_NONE, word, &several);
	if (value == NULL || several)
		return false;
	value = arena_strndup(k->a, value + 1, strlen(value) - 2);
	if (value == NULL || port_parse(value, &port) == NULL)
		return false;
	list = services_with(k, PROTO_NONE, &port);
	if (list[0] != '\0')
		diag_hint(k->d, g, MP_HINT_SERVICES_AT, value, list);
	else
		diag_hint(k->d, g, MP_HINT_SERVICE_AT, value, (int)strcspn(value, "/"), value, value);
	return true;
}

/* For a word where an asset is expected: hints at the assets of the zone that the word names. */
static bool asset_hint(struct check *k, struct diag *g, const char *word)
{
	const struct model_zone *z = called(k, &k->zones, word);
	const char *text = "";

	for (size_t i = 0; z != NULL && i < k->m->n_assets && text != NULL; i++)
		if (k->m->assets[i].zone == z)
			text = arena_printf(k->a, "%s%s\"%s\"", text, text[0] != '\0' ? ", " : "",
					    k->m->assets[i].name);
	if (z != NULL && text != NULL)
		diag_hint(k->d, g, text[0] != '\0' ? MP_HINT_ZONES_ASSETS : MP_HINT_ZONE_NO_ASSET, word, text);
	return z != NULL;
}

#define ALL_NAMES 20u /* names listed for "any" or a pattern; more would not help */

/* Whether the word means several objects, the i-th among them: "any", "rtg*". No conduit leads to
 * the box itself. */
static bool is_among(const struct names *t, size_t i, const char *plain)
{
	return strcmp(t->names[i], "self") != 0 &&
	       (meant_everything(plain) || fnmatch(plain, t->names[i], FNM_CASEFOLD) == 0);
}

/* Adds a hint if the word names an object of another kind, or one of this kind by its label or in
 * full-width letters. */
static bool names_hint(struct check *k, const struct names *t, struct diag *g, const char *word)
{
	const char *plain = meant_plain(k->a, word), *found[ALL_NAMES];
	size_t called = 0, among = 0;

	if (k->d->errors > DIAG_SHOWN || plain == NULL)
		return false;
	for (size_t i = 0; i < t->n && called < ALL_NAMES; i++)
		if (is_called(k, t, i, plain))
			found[called++] = t->names[i];
	for (size_t i = 0; i < t->n && called == 0 && among <= ALL_NAMES; i++)
		if (is_among(t, i, plain) && among++ < ALL_NAMES)
			found[among - 1] = t->names[i];
	if (called == 1) {
		diag_hint(k->d, g, MP_HINT_CALLED, word, found[0]);
		return true;
	}
	/* "OFFICE", if there are "Office" and "office", may mean either */
	if (called > 1 || (among > 0 && among <= ALL_NAMES)) {
		word_list(k, g, found, called + among);
		return true;
	}
	if (t == &k->zones ? zone_hint(k, g, plain) : t == &k->assets && asset_hint(k, g, plain))
		return true;
	return t == &k->services ? service_hint(k, g, plain) : other_hint(k, t, g, plain);
}

void *names_need(struct check *k, const struct names *t, const struct ast_node *node, enum message m, const char *code,
		 struct object o)
{
	void *found = names_find(t, node->string);
	struct diag *g;

	if (found != NULL)
		return found;
	g = check_value(k, SEV_ERROR, code, node, m, o, node->string);
	if (!names_hint(k, t, g, node->string))
		check_near(k, g, node->string, t->names, t->n);
	return NULL;
}
