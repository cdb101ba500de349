/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images of command tables: an image that decodes has exactly one encoding, and no lookup leaves
 * it.
 * LINK: appliance/wire/commands.c appliance/wire/protocols.c appliance/base/bytes.c
 * LINK: appliance/base/sha256.c
 * LIBS: nettle
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/commands.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct command_table *t)
{
	static const uint32_t some[] = { 0, 1, 99, 400, 502, 65535, UINT32_MAX };

	for (uint32_t i = 0; i < t->n_permits; i++) {
		const struct command_permit *p = commands_permit(t, t->permits[i].permit);

		if (p != &t->permits[i])
			abort();
		for (size_t k = 0; k < sizeof(some) / sizeof(some[0]); k++)
			number_in(t, &p->ports, some[k]);
	}
	for (uint32_t i = 0; i < t->n_rows; i++)
		for (size_t k = 1; k < sizeof(some) / sizeof(some[0]); k++)
			if (number_covers(t, &t->rows[i].values, some[k - 1], some[k]) &&
			    !number_in(t, &t->rows[i].values, some[k]))
				abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t promised = COMMANDS_MEMORY(size);
	void *memory = aligned_alloc(16, (promised + 15u) / 16u * 16u);
	struct command_table t;
	struct outbuf o;
	uint8_t *again;

	if (memory == NULL)
		return 0;
	if (commands_decode(bytes_of(data, size), memory, promised, &t)) {
		again = malloc(size);
		o = outbuf_of(again, size);
		if (!commands_encode(&t, &o) || o.len != size || memcmp(again, data, size) != 0)
			abort();
		free(again);
		use(&t);
	}
	free(memory);
	return 0;
}
