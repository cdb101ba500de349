/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the settings of a group by a table of its keys. A wrong value is reported, and the object
 * keeps its harmless default.
 */
#ifndef SEKISHO_POLICY_CHECK_KEYS_H
#define SEKISHO_POLICY_CHECK_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/check/say.h"
#include "policy/read/ast.h"

struct check;

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

/* The table <object>_keys of each kind of object. */
#define KEY(id, ...) id,
#define KEYS_OF(object, ...)                                                                                           \
	enum { __VA_ARGS__ object##_keys_end };                                                                        \
	extern const struct key object##_keys[object##_keys_end];
#include "policy/check/keys.def"

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

#endif
