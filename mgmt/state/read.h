/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the box's JSON (docs/json.md) so that missing members do no harm, and makes small texts
 * that the command line and the pages share. Borrowed strings belong to the JSON object. Nothing
 * here prints.
 */
#ifndef SEKISHO_MGMT_STATE_READ_H
#define SEKISHO_MGMT_STATE_READ_H

#include <stdbool.h>
#include <stdio.h>

#include "appliance/base/json.h"
#include "appliance/base/json_each.h"
#include "appliance/base/messages.h"

#define RENDER_TEXT 64

const char *js(const json_t *o, const char *key);		/* "" when absent or not a string */
bool js_is(const json_t *o, const char *key, const char *word); /* whether it is this text */
/* 0 when absent, not a number or negative */
unsigned long long ju(const json_t *o, const char *key);
bool jb(const json_t *o, const char *key); /* false when absent */
/* NULL when absent; json_array_size(NULL) is 0 */
const json_t *ja(const json_t *o, const char *key);
/* The first object of the list with this text at `key`; NULL: there is none. */
const json_t *json_find(const json_t *list, const char *key, const char *text);

/* "2026-11-20T08:10:11.123Z" as local time, "2026-11-20 17:10:11 JST"; other texts are copied, ""
 * stays "". */
void render_time(const char *rfc3339, char out[RENDER_TEXT]);
/* The purpose of a worker's lanes. */
const char *render_kind(const char *word, enum lang l);

/* A conduit of `expected.conduits`: "RTG 1 reads (tos-reads-rtg01)". */
void render_conduit(const json_t *silent, enum lang l, char *out, size_t size);
/* The first CONDUITS_NAMED conduits of `list`, which stands for `all` conduits: "RTG 1 reads (tos-
 * reads-rtg01), vendor, +2". */
#define CONDUITS_NAMED 4u
void render_conduits(const json_t *list, unsigned long long all, enum lang l, char *out, size_t size);

/* Whether the servers that a conduit declares for TLS are checked at this place (docs/json.md,
 * effective). Also false if nothing of the permit is inspected, or if another conduit of the permit
 * allows TLS to any server. */
bool declares_servers(const json_t *permit, const json_t *grant);

/* Joins the texts of a list; those that do not fit are left out. */
void json_joined(const json_t *list, const char *between, char *out, size_t size);

/* What people read for a word of the box about this subject (words.def). NULL: the word is of a
 * newer box, or has no text. */
const enum message *word_message(const char *subject, const char *word);
/* As word_message, as text; the word of a newer box stays as it is. */
const char *word_text(const char *subject, const char *word, enum lang l);

/* Closes a stream of open_memstream. Returns its text, malloc'd; NULL = no memory. */
char *text_closed(FILE *to, char **text);

#endif
