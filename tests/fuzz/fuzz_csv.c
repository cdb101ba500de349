/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a table of a spreadsheet. Every cell must lie inside the text, with a place and a
 * name. A table that was read and is written again must be read as the same. A policy with this
 * table as its fleet must have its mistakes reported at places that exist.
 *
 * LINK: policy/check/%.c policy/read/parse.c policy/read/scan.c policy/read/lex.c
 * LINK: appliance/base/duration.c
 * LINK: appliance/wire/evaluate.c appliance/wire/operation.c
 * LINK: appliance/wire/commands.c appliance/base/sha256.c policy/read/include.c
 * LINK: policy/read/bracket.c appliance/wire/notation.c appliance/wire/tag.c policy/read/csv.c
 * LINK: appliance/wire/hours.c appliance/wire/duty.c appliance/wire/plain.c policy/read/load.c
 * LINK: appliance/base/addr.c appliance/base/arena.c appliance/base/bundle.c appliance/base/bytes.c
 * LINK: appliance/base/clock.c appliance/base/diag.c appliance/base/diag_print.c
 * LINK: appliance/base/messages.c appliance/base/errno_text.c appliance/wire/protocols.c
 * LINK: appliance/base/utf8.c appliance/wire/vocabulary*.c dpi/%/words.c appliance/wire/settings.c
 * LINK: appliance/wire/attack.c
 * LIBS: libconfig nettle
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/compile.h"
#include "policy/read/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define POLICY                                                                                                         \
	"language_version = 1; zones = { crane = { interfaces = [\"lan0\"]; networks = [\"10.30.0.0/22\"]; }; };\n"    \
	"services = { read = { protocol = \"tls\"; }; };\n"                                                            \
	"fleets = { rtg = { from = \"t.csv\"; zone = \"crane\"; members = [\"plc\", \"cms\"]; label = \"RTG {}\"; }; " \
	"};\n"                                                                                                         \
	"conduits = ( { name = \"own\"; each = \"rtg\"; from = \"crane\"; to = \"crane\"; sources = [\".cms\"]; "      \
	"destinations = [\".plc\"]; services = [\"read\"]; purpose = \"p\"; owner = \"o\"; review_by = "               \
	"\"2190-01-01\"; } );\n"

struct input {
	const uint8_t *data;
	size_t size;
};

static void require(bool ok)
{
	if (!ok)
		abort();
}

static int load(void *ctx, const char *name, struct arena *a, struct source_text *ret)
{
	const struct input *in = ctx;
	bool table = strcmp(name, "t.csv") == 0;

	if (!table && strcmp(name, "site.cfg") != 0)
		return -ENOENT;
	ret->text = table ? arena_strndup(a, (const char *)in->data, in->size) : POLICY;
	ret->size = table ? in->size : strlen(POLICY);
	return ret->text != NULL ? 0 : -ENOMEM;
}

static uint32_t lines_of(const struct source_text *s)
{
	uint32_t lines = 1;

	for (size_t i = 0; i < s->size; i++)
		lines += s->text[i] == '\n';
	return lines;
}

/* The table with every cell in quotes, which is possible for every cell. */
static struct source_text written(struct arena *a, const struct source_text *s)
{
	char *out = arena_alloc(a, 4 * s->size + 16), *to = out;
	struct csv_cell cell;
	enum csv_fault fault;
	struct csv c;

	csv_begin(&c, s, 0, a);
	while (out != NULL && csv_next(&c, &cell, &fault)) {
		char name[CSV_CELL_TEXT];

		require(cell.at.line >= 1 && cell.at.line <= lines_of(s) && cell.row == cell.at.line &&
			cell.width >= 1);
		csv_cell_text(s, cell.at, name);
		require(name[0] >= 'A' && name[0] <= 'Z');
		*to++ = '"';
		for (const char *p = cell.text; *p != '\0'; p++) {
			if (*p == '"')
				*to++ = '"';
			*to++ = *p;
		}
		*to++ = '"';
		*to++ = cell.last ? '\n' : ',';
	}
	if (to != out && to[-1] == ',') /* the next one could not be read */
		to[-1] = '\n';
	return (struct source_text){ "again", out, out != NULL ? (size_t)(to - out) : 0 };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct policy_loader l = { &in, load };
	struct arena *a = arena_new(64u << 20);
	struct source_text s = { "t.csv", NULL, size }, again, third;
	struct compilation c = { .arena = a };

	if (size > 4096) {
		arena_free(a);
		return 0;
	}
	s.text = arena_strndup(a, (const char *)data, size);
	require(a != NULL && s.text != NULL);
	again = written(a, &s);
	third = written(a, &again);
	require(again.size == third.size && (again.size == 0 || memcmp(again.text, third.text, again.size) == 0));
	require(policy_check(&c, &l, "site.cfg") == (c.diags.errors == 0));
	for (size_t i = 0; i < c.diags.n; i++) {
		const struct diag *g = c.diags.list[i];

		require(g->at.line == 0 ||
			(g->at.file < c.n_sources && g->at.line <= lines_of(&c.sources[g->at.file])));
	}
	arena_free(a);
	return 0;
}
