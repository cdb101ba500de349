/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lasting subscriptions over UDP: a client asks once, and its server then sends by itself for hours
 * (docs/decisions/lasting-subscriptions.md). What rules, workers and replay have in common.
 */
#ifndef SEKISHO_WIRE_LASTING_H
#define SEKISHO_WIRE_LASTING_H

#include "appliance/wire/mark.h"
#include "appliance/wire/protocols.h"

/* In the packet mark, with MARK_TWIN: the datagram opens a session that no cell admits, and may be
 * for a subscription. It passes only if a worker says so. */
#define MARK_NOTICE ((uint32_t)MARK_CONFIRMED << MARK_OUTCOME_SHIFT)
/* The outcome that comes with PERMIT_TWIN if the datagram's receiver subscribed to it. */
#define MARK_TOLD ((uint32_t)MARK_QUIET << MARK_OUTCOME_SHIFT)

/* Codes of the requests that subscribe. */
static const struct {
	enum protocol protocol;
	uint32_t code;
} lasting_requests[] = {
	{ PROTO_BACNET, 5 },  /* SubscribeCOV */
	{ PROTO_BACNET, 28 }, /* SubscribeCOVProperty */
	{ PROTO_BACNET, 30 }, /* SubscribeCOVPropertyMultiple */
	{ PROTO_DNP3, 20 },   /* enable_unsolicited */
};

#endif
