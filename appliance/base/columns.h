/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A struct as a JSON object: one table of columns describes how it is written, read back and
 * checked. If a member is missing, unknown, of another type or out of bounds, the whole object
 * is refused.
 */
#ifndef SEKISHO_BASE_COLUMNS_H
#define SEKISHO_BASE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"

enum column_kind {
	COLUMN_FORM,   /* no member of the struct: the value is always `most` */
	COLUMN_NUMBER, /* an unsigned integer of `size` bytes, from `least` to `most` */
	COLUMN_BITS,   /* 64 bits, any value */
	COLUMN_BOOL,
	COLUMN_TEXT,  /* shorter than `size` */
	COLUMN_PLAIN, /* the same, of characters that may be shown to people (utf8_is_plain) */
	COLUMN_HEX,   /* `size` bytes as digits; with `least` 1 not all of them 0 */
	COLUMN_ADDR,  /* a struct addr; "" where it has no family */
	COLUMN_WORD,  /* an index into `words`, of which there are `most` */
	/* a list of at most `most` rows of `rows`; how many, is the size_t at `count` */
	COLUMN_ROWS,
	COLUMN_OWN /* the functions `put` and `take` handle it */
};

struct column {
	const char *name;
	enum column_kind kind;
	size_t at, size;
	uint64_t least, most;
	const char *const *words;
	const struct columns *rows;
	size_t count;
	json_t *(*put)(const void *member);
	bool (*take)(const json_t *j, void *member);
};

struct columns {
	const struct column *of;
	size_t n, size; /* number of columns; bytes of a row */
};

#define COLUMN_AT(type, member) .at = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define COLUMN(column, type, member, how, from, to)                                                                    \
	{                                                                                                              \
		.name = (column), .kind = (how), .least = (from), .most = (to), COLUMN_AT(type, member)                \
	}
#define COLUMN_ONE_OF(column, type, member, list, n)                                                                   \
	{                                                                                                              \
		.name = (column), .kind = COLUMN_WORD, .words = (list), .most = (n), COLUMN_AT(type, member)           \
	}
#define COLUMN_LIST(column, type, member, number, of)                                                                  \
	{                                                                                                              \
		.name = (column), .kind = COLUMN_ROWS, .rows = (of), .count = offsetof(type, number),                  \
		.most = sizeof(((type *)0)->member) / sizeof(((type *)0)->member[0]), COLUMN_AT(type, member)          \
	}
#define COLUMN_BY(column, type, member, putter, taker)                                                                 \
	{                                                                                                              \
		.name = (column), .kind = COLUMN_OWN, .put = (putter), .take = (taker), COLUMN_AT(type, member)        \
	}
/* A value that is made of several members: the functions get the whole row. */
#define COLUMN_OF_ROW(column, putter, taker)                                                                           \
	{                                                                                                              \
		.name = (column), .kind = COLUMN_OWN, .put = (putter), .take = (taker)                                 \
	}
#define COLUMN_IS(column, value)                                                                                       \
	{                                                                                                              \
		.name = (column), .kind = COLUMN_FORM, .most = (value)                                                 \
	}
#define COLUMNS(table, type)                                                                                           \
	{                                                                                                              \
		table, sizeof(table) / sizeof((table)[0]), sizeof(type)                                                \
	}

/* Writes a row as an object, with its members in the order of the table. NULL = no memory. */
json_t *columns_json(const struct columns *c, const void *row);
json_t *columns_list(const struct columns *c, const void *rows, size_t n);
/* Adds a member to `j` and takes its reference. If `j` or `value` is NULL, the other one is freed,
 * and the result is NULL. */
json_t *columns_with(json_t *j, const char *name, json_t *value);
/* Fills a row that the caller has zeroed. `beside`: how many members the object has that are not in
 * the table and that the caller reads. On false the row may be partly filled. */
bool columns_parse(const struct columns *c, const json_t *j, size_t beside, void *ret);
bool columns_list_parse(const struct columns *c, const json_t *list, void *ret, size_t most, size_t *ret_n);

/* A struct as a file of its own. */
struct columns_file {
	const char *name, *what; /* of the file; what it is, for errors */
	size_t most;		 /* bytes */
	const struct columns *columns;
	bool (*is_sound)(const void *row); /* checks what no column can; NULL: nothing */
};

/* Fills the struct. False: columns_save does not write such bytes; the struct is all
 * zeros. Pure. */
bool columns_read(const struct columns_file *f, const uint8_t *text, size_t n, void *ret);
/* As columns_read, from the file. A file that cannot be read is set aside (*ret_damaged). False
 * also if there is none. */
bool columns_load(const struct columns_file *f, int folder, void *ret, bool *ret_damaged);
/* Replaces the file. 0 or negative errno. */
int columns_save(const struct columns_file *f, int folder, const void *row, struct err *e);

#endif
