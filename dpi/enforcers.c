/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/enforcers.h"

#include "dpi/lasting.h"
#include "dpi/protocol.h"

#define ENFORCED(id, name, ...) [PROTO_##id] = &name##_enforcer,
static const struct enforcer *const all[PROTO_COUNT] = {
#include "appliance/wire/protocols.def"
};

const struct enforcer *enforcer_of(enum protocol p)
{
	return (unsigned)p < PROTO_COUNT ? all[p] : NULL;
}

enum reason enforcer_malformed(enum protocol p)
{
	const struct enforcer *e = enforcer_of(p);

	return e != NULL ? e->malformed : R_WRONG_PROTOCOL;
}

const struct lasting_reader *lasting_reader_of(enum protocol p)
{
	return p == PROTO_BACNET ? &bacnet_lasting : p == PROTO_DNP3 ? &dnp3_lasting : NULL;
}
