/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/enforcers.h"

#include <stddef.h>

#include "dpi/modbus/modbus.h"
#include "dpi/protocol.h"

static const struct {
	const struct enforcer *enforcer;
	enum reason malformed;
} rows[] = {
	{ &modbus_enforcer, R_MODBUS_FRAME },
};

const struct enforcer *enforcer_of(enum protocol p)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].enforcer->protocol == p)
			return rows[i].enforcer;
	return NULL;
}

enum reason enforcer_malformed(enum protocol p)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].enforcer->protocol == p)
			return rows[i].malformed;
	return R_WRONG_PROTOCOL;
}
