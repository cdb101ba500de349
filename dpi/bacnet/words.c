/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/bacnet/words.h"

#include "appliance/wire/vocabulary.h"
#include "dpi/bacnet/bacnet.h"

#define PLACES (1u << BACNET_OBJECTS)
#define UNTOLD (UNTOLD_PLACE | UNTOLD_VALUE)

/* Messages about other ends, routers and tables of broadcasts. No word for a class allows them, so
 * a row must name them. */
#define NAMED FRAMING_APART

/*
 * Writing the present value is writing. Writing another property, creating and deleting objects,
 * and reading and writing files is programming. To relinquish a command is a write with a name of
 * its own, because the value after it is not known. Sending values is writing, because receivers
 * may take them over. Sending events, or announcing oneself as a device, is control, because
 * receivers act on it. Messages with which a server of the link answers have no class.
 */
#define ONE(code, name, class, places, untold, form)                                                                   \
	{                                                                                                              \
		code, code, name, class, (places)*PLACES, untold, form                                                 \
	}
#define CONFIRMED(choice, name, class, places, untold, answer, layout)                                                 \
	ONE(choice, #name, class, places, untold, FRAMING_ALIKE),
#define UNCONFIRMED(choice, name, class, places, untold, layout)                                                       \
	ONE(BACNET_UNCONFIRMED(choice), #name, class, places, untold, FRAMING_ALIKE),
#define NETWORK(type, name, class, end, bytes, each, form) ONE(BACNET_NETWORK(type), #name, class, 0, 0, form),
#define LINK(function, name, class, end, bytes, each, form) ONE(BACNET_LINK(function), #name, class, 0, 0, form),
static const struct function_info functions[] = {
#include "dpi/bacnet/services.def"
	ONE(BACNET_LINK(BACNET_SECURE), "Secure-BVLL", CLASS_ALL, 0, UNTOLD, NAMED),
	ONE(BACNET_OTHER + BACNET_WRITE_PROPERTY, "WriteOtherProperty", CLASS_PROGRAM, 1, 0, FRAMING_ALIKE),
	ONE(BACNET_OTHER + BACNET_WRITE_MULTIPLE, "WriteOtherPropertyMultiple", CLASS_PROGRAM, 1, 0, FRAMING_ALIKE),
	ONE(BACNET_OTHER + BACNET_REINITIALIZE, "ReinitializeDeviceRestore", CLASS_PROGRAM, 0, UNTOLD, FRAMING_ALIKE),
	ONE(BACNET_RELINQUISH + BACNET_WRITE_PROPERTY, "Relinquish", CLASS_WRITE, 1, UNTOLD_VALUE, FRAMING_ALIKE),
	ONE(BACNET_RELINQUISH + BACNET_WRITE_MULTIPLE, "RelinquishMultiple", CLASS_WRITE, 1, UNTOLD_VALUE,
	    FRAMING_ALIKE),
	ONE(BACNET_APDU(BACNET_SIMPLE_ACK), "SimpleACK", 0, 0, 0, FRAMING_ALIKE),
	ONE(BACNET_APDU(BACNET_COMPLEX_ACK), "ComplexACK", 0, 0, 0, FRAMING_ALIKE),
	ONE(BACNET_APDU(BACNET_SEGMENT_ACK), "SegmentACK", 0, 0, 0, FRAMING_ALIKE),
	ONE(BACNET_APDU(BACNET_ERROR), "Error", 0, 0, 0, FRAMING_ALIKE),
	ONE(BACNET_APDU(BACNET_REJECT), "Reject", 0, 0, 0, FRAMING_ALIKE),
	ONE(BACNET_APDU(BACNET_ABORT), "Abort", 0, 0, 0, FRAMING_ALIKE),
};

#define N(list) (sizeof(list) / sizeof((list)[0]))

static const struct number_name objects[] = {
#define OBJECT(number, name) { number, name },
#include "dpi/bacnet/names.def"
};

static const struct number_name properties[] = {
#define PROPERTY(number, name) { number, name },
#include "dpi/bacnet/names.def"
};

static const struct number_name indexes[] = { { BACNET_INDEX_BEYOND, "beyond" }, { BACNET_INDEX_NONE, "whole" } };
static const struct number_name networks[] = { { 0, "local" }, { 65535, "all" } };
static const struct number_name stations[] = { { BACNET_STATION_ALL, "all" }, { BACNET_STATION_LONG, "long" } };
static const struct number_name ways[] = {
	{ BACNET_FORWARDED, "forwarded" },
	{ BACNET_DISTRIBUTE, "distribute" },
	{ BACNET_UNICAST, "unicast" },
	{ BACNET_BROADCAST, "broadcast" },
	{ BACNET_RELAYED + BACNET_FORWARDED, "relayed-forwarded" },
	{ BACNET_RELAYED + BACNET_DISTRIBUTE, "relayed-distribute" },
	{ BACNET_RELAYED + BACNET_UNICAST, "relayed-unicast" },
	{ BACNET_RELAYED + BACNET_BROADCAST, "relayed-broadcast" },
};

#define NAMES(list, joint)                                                                                             \
	&(const struct number_names)                                                                                   \
	{                                                                                                              \
		list, N(list), joint                                                                                   \
	}

/* Routes and ways other than the usual ones are refused by every row that does not name them. */
static const struct target_info targets[] = {
	[BACNET_ROUTE] = { .key = "routes",
			   .max = BACNET_ROUTE_OF(65535, 511),
			   .one = "route",
			   .ja = "経路",
			   .usual_known = true,
			   .usual = 0,
			   .parts = { { 16, "network" }, { BACNET_STATION_BITS, "station" } },
			   .names = { NAMES(networks, '.'), NAMES(stations, '.') } },
	[BACNET_WAY] = { .key = "ways",
			 .max = 255,
			 .one = "way",
			 .ja = "配送方法",
			 .usual_known = true,
			 .usual = BACNET_UNICAST,
			 .parts = { { 8, "way" } },
			 .names = { NAMES(ways, '.') } },
	/* no property, and an unknown one, have BACNET_PROPERTY_NONE, which is above `max` */
	[BACNET_PROPERTY] = { .key = "properties",
			      .max = BACNET_PROPERTY_NONE - (1u << BACNET_INDEX_BITS),
			      .one = "property",
			      .ja = "プロパティ",
			      .usual_known = true,
			      .usual = BACNET_PROPERTY_NONE,
			      .parts = { { 32u - BACNET_INDEX_BITS, "property" }, { BACNET_INDEX_BITS, "index" } },
			      .names = { NAMES(properties, '.'), NAMES(indexes, '.') } },
	[BACNET_PRIORITY] = { .key = "priorities",
			      .max = BACNET_PRIORITY_LOWEST,
			      .one = "priority",
			      .ja = "優先度",
			      .usual_known = true,
			      .usual = BACNET_PRIORITY_NONE },
};

static const struct space_info spaces[BACNET_SPACES] = {
	[BACNET_OBJECTS] = { .key = "objects",
			     .address_max = UINT32_MAX,
			     .parts = { { 32u - BACNET_INSTANCE_BITS, "type" }, { BACNET_INSTANCE_BITS, "instance" } },
			     .names = { NAMES(objects, ':') } },
};

const struct vocabulary vocabulary_bacnet = {
	.protocol = PROTO_BACNET,
	.functions = functions,
	.n_functions = N(functions),
	.targets = targets,
	.n_targets = N(targets),
	.spaces = spaces,
	.n_spaces = N(spaces),
	.value_max = UINT32_MAX,
	.code_first = 0,
	.code_last = BACNET_APDU(15),
	.code_max = BACNET_APDU(15),
	.refused = { R_BACNET_FUNCTION, R_BACNET_TARGET, R_BACNET_ADDRESS, R_BACNET_VALUE },
};
