/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "appliance/base/utf8.h"
#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/say.h"

static const char *const role_words[] = { "data", "admin", NULL };    /* bool admin */
static const char *const scope_words[] = { "direct", "chain", NULL }; /* bool chain */

#define KEY(id, ...) { __VA_ARGS__ },
#define KEYS_OF(object, ...) const struct key object##_keys[] = { __VA_ARGS__ };
#include "policy/check/keys.def"

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
		if (list != NULL && list->name != NULL && strcmp(list->name, "ports") == 0)
			diag_hint(k->d, g, MP_HINT_PORT);
		return;
	}
	g = check_both(k, SEV_ERROR, "policy.wrong_type", node->value_at, node->value_width, MP_WRONG_TYPE, o,
		       (struct both){ { key->name, key->name } }, wanted);
	if (strcmp(key->name, "ports") == 0)
		diag_hint(k->d, g, MP_HINT_PORT);
	else if ((kinds & AST_LISTS) == AST_LIST)
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
	uint8_t byte;
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
		byte = (uint8_t)choice;
		if (choice != SIZE_MAX)
			memcpy(to, key->size == sizeof(byte) ? (const void *)&byte : (const void *)&number, key->size);
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
