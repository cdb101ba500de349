/* SPDX-License-Identifier: Apache-2.0 */
/* All protocols with command rules. Tests that have a vocabulary of their own do not link this
 * file. */
#include <stddef.h>

#include "appliance/wire/vocabulary.h"

#define ENFORCED(id, name, ...) [PROTO_##id] = &vocabulary_##name,
static const struct vocabulary *const all[PROTO_COUNT] = {
#include "appliance/wire/protocols.def"
};

const struct vocabulary *vocabulary_of(enum protocol p)
{
	return (unsigned)p < PROTO_COUNT ? all[p] : NULL;
}
