/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/enforcers.h"

#include "dpi/enip/enip.h"
#include "dpi/modbus/modbus.h"
#include "dpi/s7comm/s7comm.h"
#include "dpi/slmp/slmp.h"

static const struct enforcer *const all[] = { &modbus_enforcer, &slmp_enforcer, &enip_enforcer, &s7comm_enforcer };

const struct enforcer *enforcer_of(enum protocol p)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i]->protocol == p)
			return all[i];
	return NULL;
}

enum reason enforcer_malformed(enum protocol p)
{
	const struct enforcer *e = enforcer_of(p);

	return e != NULL ? e->malformed : R_WRONG_PROTOCOL;
}
