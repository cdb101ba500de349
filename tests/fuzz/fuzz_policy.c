/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy text: any bytes through loader, scanner, libconfig, checks and printing. The input is
 * either a bundle, or texts separated by the byte 0x1e: the policy, box.cfg, and a.cfg and b.cfg
 * for includes.
 *
 * Besides crashes, the target checks that the two readers agree (the scanner never passes what
 * libconfig refuses or reads differently), and that every place in a diagnostic lies inside its
 * text.
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
#include <stdlib.h>
#include <string.h>

#include "policy/compile/compile.h"
#include "policy/render/render.h"
#include "policy/space/prove.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARTS 4

struct parts {
	struct bytes text[PARTS];
	size_t n;
};

static const char *const part_names[PARTS] = { "site.cfg", "box.cfg", "a.cfg", "b.cfg" };

static int part_load(void *ctx, const char *name, struct arena *a, struct source_text *ret)
{
	const struct parts *p = ctx;

	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(part_names[i], name) == 0) {
			ret->size = p->text[i].left;
			ret->text = arena_strndup(a, (const char *)p->text[i].p, ret->size);
			return ret->text != NULL ? 0 : -ENOMEM;
		}
	}
	return -ENOENT;
}

static void split(const uint8_t *data, size_t size, struct parts *ret)
{
	const uint8_t *p = data, *end = data + size;

	memset(ret, 0, sizeof(*ret));
	while (ret->n < PARTS) {
		const uint8_t *stop = ret->n + 1 < PARTS && p < end ? memchr(p, 0x1e, (size_t)(end - p)) : NULL;

		ret->text[ret->n++] = bytes_of(p, (size_t)((stop != NULL ? stop : end) - p));
		if (stop == NULL)
			return;
		p = stop + 1;
	}
}

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_place(const struct compilation *c, struct srcpos at)
{
	const struct source_text *s;
	uint32_t lines = 1;

	if (at.line == 0)
		return;
	require(at.file < c->n_sources && at.column > 0);
	s = &c->sources[at.file];
	for (size_t i = 0; i < s->size; i++)
		lines += s->text[i] == '\n';
	require(at.line <= lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	/* Some inputs get an arena that runs out somewhere. */
	bool tight = size > 3 && data[size - 1] == '\t';
	struct arena *a = arena_new(tight ? 65536u * (1u + data[size - 2] % 4u) : 64u << 20);
	struct compilation c = { .arena = a };
	struct policy_loader l;
	const char *name;
	struct parts parts;

	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	require(a != NULL && nowhere != NULL);
	if (!loader_bundle(bytes_of(data, size), a, &l, &name)) {
		split(data, size, &parts);
		l = (struct policy_loader){ &parts, part_load };
		name = part_names[0];
	}
	require(policy_check(&c, &l, name) == (c.diags.errors == 0));
	require((c.model != NULL) == (c.diags.errors == 0));
	for (size_t i = 0; i < c.diags.n; i++) {
		require(strcmp(c.diags.list[i]->code, "policy.readers_differ") != 0);
		check_place(&c, c.diags.list[i]->at);
		check_place(&c, c.diags.list[i]->also);
	}
	if (size < 4096) {
		diags_print(nowhere, &c.diags, c.sources, c.n_sources, LANG_EN);
		diags_print(nowhere, &c.diags, c.sources, c.n_sources, LANG_JA);
	}
	if (c.n_sources > 0) {
		size_t n = bundle_encode(c.sources, c.n_sources, NULL, 0);
		uint8_t *p = malloc(n);

		require(p != NULL && bundle_encode(c.sources, c.n_sources, p, n) == n);
		free(p);
	}
	arena_free(a);
	return 0;
}
