/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed generations. The input is used as it is, and once more as the content after a right
 * digest. What is accepted there seals to the same bytes, and every reader of a generation must be
 * able to work with it.
 * LINK: policy/ir/evaluate.c
 * LINK: policy/ir/seal.c policy/ir/unseal.c appliance/wire/hours.c policy/ir/elements.c
 * LINK: policy/ir/skeleton/%.c policy/ir/names.c policy/render/nft.c policy/render/nft_rule.c
 * LINK: appliance/base/addr.c appliance/base/arena.c appliance/base/bytes.c
 * LINK: $(COMMANDS_PARTS) appliance/base/err.c
 * LINK: appliance/wire/reason.c appliance/base/sha256.c policy/ir/objects.c
 * LINK: appliance/wire/settings.c appliance/wire/plain.c
 * LIBS: nettle
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "policy/compile/compile.h"
#include "policy/ir/evaluate.h"
#include "policy/ir/objects.h"
#include "policy/ir/seal.h"
#include "policy/render/render.h"
#include "policy/space/prove.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct ir *ir)
{
	struct question q = { .source = { .family = 4 }, .destination = { .family = 4 }, .l4proto = 6, .port = 502 };
	uint32_t *ids = calloc((size_t)ir->n_permits + 1, sizeof(*ids));
	char *text = NULL;
	uint8_t *image;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	if (ids == NULL || to == NULL)
		abort();
	for (uint32_t i = 0; i < ir->n_permits; i++)
		ids[i] = ir->n_permits - i;
	image = ir_table_image(ir, ids, &n);
	free(image);
	evaluate_ir(ir, &q);
	render_nft(to, ir);
	fclose(to);
	free(text);
	free(ids);
}

static void try(const uint8_t *p, size_t n)
{
	struct arena *a = arena_new(64u << 20);
	struct err e;
	struct ir ir;

	if (a == NULL)
		return;
	if (ir_unseal(bytes_of(p, n), a, &ir, &e) == 0) {
		uint8_t *again;
		size_t n_again;

		if (ir_seal(&ir, &again, &n_again, &e) != 0)
			abort();
		if (n_again != n || memcmp(again, p, n) != 0)
			abort();
		free(again);
		use(&ir);
	}
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *p = malloc(size + IR_HEADER);

	if (p == NULL)
		return 0;
	try(data, size);
	memcpy(p, IR_MAGIC, IR_MAGIC_SIZE);
	if (size > 0)
		memcpy(p + IR_HEADER, data, size);
	sha256(p + IR_HEADER, size, p + IR_MAGIC_SIZE);
	try(p, size + IR_HEADER);
	free(p);
	return 0;
}
