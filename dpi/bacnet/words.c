/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/bacnet/words.h"

#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_numbers.h"
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
	/* as people write them; records have the names above */
	{ 0, "AI" },   { 1, "AO" },   { 2, "AV" },   { 3, "BI" },  { 4, "BO" },	 { 5, "BV" },  { 8, "DEV" },
	{ 13, "MSI" }, { 14, "MSO" }, { 19, "MSV" }, { 13, "MI" }, { 14, "MO" }, { 19, "MV" },
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

/* The properties and priorities of services without any are not limited. Services whose contents
 * are not read have an unknown property, which no row names. */
#define ALONE(code) code, code
#define NO_PROPERTY(first, last)                                                                                       \
	{                                                                                                              \
		first, last, BACNET_PROPERTY, false, 1, 0                                                              \
	}
#define UNKNOWN_PROPERTY(first, last)                                                                                  \
	{                                                                                                              \
		first, last, BACNET_PROPERTY, false, BACNET_PROPERTY_NONE, BACNET_PROPERTY_NONE                        \
	}
#define NO_PRIORITY(first, last)                                                                                       \
	{                                                                                                              \
		first, last, BACNET_PRIORITY, false, 1, 0                                                              \
	}
#define WRITES(code)                                                                                                   \
	{                                                                                                              \
		ALONE(code), BACNET_PRIORITY, false, 1, BACNET_PRIORITY_LOWEST                                         \
	}
#define SETS(code)                                                                                                     \
	{                                                                                                              \
		ALONE(code), REACH_VALUES, false, 0, UINT32_MAX                                                        \
	}
#define PRESENT_VALUE(code)                                                                                            \
	{                                                                                                              \
		ALONE(code), BACNET_PROPERTY, false, BACNET_PROPERTY_OF(BACNET_PRESENT_VALUE, 0),                      \
			BACNET_PROPERTY_OF(BACNET_PRESENT_VALUE + 1u, 0) - 1u                                          \
	}
#define OTHER_PROPERTY(code)                                                                                           \
	{ ALONE(code), BACNET_PROPERTY, false, 0, BACNET_PROPERTY_OF(BACNET_PRESENT_VALUE, 0) - 1u },                  \
	{                                                                                                              \
		ALONE(code), BACNET_PROPERTY, false, BACNET_PROPERTY_OF(BACNET_PRESENT_VALUE + 1u, 0),                 \
			BACNET_PROPERTY_NONE                                                                           \
	}
#define NO_WAY(target)                                                                                                 \
	{                                                                                                              \
		BACNET_LINK(0), BACNET_LINK(255), target, false, 1, 0                                                  \
	}
#define SENT(first, last, from, to)                                                                                    \
	{                                                                                                              \
		first, last, BACNET_WAY, false, from, to                                                               \
	}
#define SENT_ALL(first, last)                                                                                          \
	SENT(first, last, BACNET_FORWARDED, BACNET_FORWARDED), SENT(first, last, BACNET_DISTRIBUTE, BACNET_BROADCAST), \
		SENT(first, last, BACNET_RELAYED + BACNET_FORWARDED, BACNET_RELAYED + BACNET_FORWARDED),               \
		SENT(first, last, BACNET_RELAYED + BACNET_DISTRIBUTE, BACNET_RELAYED + BACNET_BROADCAST)

static const struct reach_info reaches[] = {
	NO_PROPERTY(0, 7),
	NO_PROPERTY(11, 11),
	UNKNOWN_PROPERTY(13, 13),
	PRESENT_VALUE(BACNET_WRITE_PROPERTY),
	PRESENT_VALUE(BACNET_WRITE_MULTIPLE),
	NO_PROPERTY(17, 17),
	UNKNOWN_PROPERTY(18, 18),
	NO_PROPERTY(19, 20),
	UNKNOWN_PROPERTY(21, 25),
	NO_PROPERTY(27, 27),
	NO_PROPERTY(29, 29),
	NO_PROPERTY(31, 33),
	UNKNOWN_PROPERTY(34, 999),
	NO_PROPERTY(BACNET_UNCONFIRMED(0), BACNET_UNCONFIRMED(3)),
	UNKNOWN_PROPERTY(BACNET_UNCONFIRMED(4), BACNET_UNCONFIRMED(4)),
	NO_PROPERTY(BACNET_UNCONFIRMED(5), BACNET_UNCONFIRMED(9)),
	UNKNOWN_PROPERTY(BACNET_UNCONFIRMED(10), BACNET_UNCONFIRMED(10)),
	NO_PROPERTY(BACNET_UNCONFIRMED(11), BACNET_UNCONFIRMED(13)),
	UNKNOWN_PROPERTY(BACNET_UNCONFIRMED(14), BACNET_UNCONFIRMED(255)),
	NO_PROPERTY(BACNET_NETWORK(0), BACNET_NETWORK(0x13)),
	NO_PROPERTY(BACNET_LINK(0), BACNET_LINK(8)),
	UNKNOWN_PROPERTY(BACNET_LINK(BACNET_SECURE), BACNET_LINK(BACNET_SECURE)),
	OTHER_PROPERTY(BACNET_OTHER + BACNET_WRITE_PROPERTY),
	OTHER_PROPERTY(BACNET_OTHER + BACNET_WRITE_MULTIPLE),
	UNKNOWN_PROPERTY(BACNET_OTHER + BACNET_REINITIALIZE, BACNET_OTHER + BACNET_REINITIALIZE),
	PRESENT_VALUE(BACNET_RELINQUISH + BACNET_WRITE_PROPERTY),
	PRESENT_VALUE(BACNET_RELINQUISH + BACNET_WRITE_MULTIPLE),
	NO_PROPERTY(BACNET_APDU(0), BACNET_APDU(15)),
	NO_PRIORITY(0, 9),
	NO_PRIORITY(11, 14),
	WRITES(BACNET_WRITE_PROPERTY),
	WRITES(BACNET_WRITE_MULTIPLE),
	NO_PRIORITY(17, BACNET_OTHER),
	WRITES(BACNET_OTHER + BACNET_WRITE_PROPERTY),
	WRITES(BACNET_OTHER + BACNET_WRITE_MULTIPLE),
	NO_PRIORITY(BACNET_OTHER + BACNET_REINITIALIZE, BACNET_OTHER + BACNET_REINITIALIZE),
	WRITES(BACNET_RELINQUISH + BACNET_WRITE_PROPERTY),
	WRITES(BACNET_RELINQUISH + BACNET_WRITE_MULTIPLE),
	NO_PRIORITY(BACNET_APDU(0), BACNET_APDU(15)),
	SETS(BACNET_OTHER + BACNET_WRITE_PROPERTY),
	SETS(BACNET_OTHER + BACNET_WRITE_MULTIPLE),
	NO_WAY(BACNET_ROUTE),
	NO_WAY(BACNET_WAY),
	SENT_ALL(0, BACNET_LINK(0) - 1u),
	SENT_ALL(BACNET_LINK(255) + 1u, BACNET_APDU(15)),
};

static const struct pair_info siblings[] = {
	{ BACNET_WRITE_PROPERTY, BACNET_OTHER + BACNET_WRITE_PROPERTY, BACNET_PROPERTY },
	{ BACNET_WRITE_MULTIPLE, BACNET_OTHER + BACNET_WRITE_MULTIPLE, BACNET_PROPERTY },
};

static const struct value_info values[] = { { 0, BACNET_APDU(15), REACH_VALUES, 0, 0, VALUE_BITS_32 } };

static const struct space_info spaces[BACNET_SPACES] = {
	[BACNET_OBJECTS] = { .key = "objects",
			     .address_max = UINT32_MAX,
			     .parts = { { 32u - BACNET_INSTANCE_BITS, "type" }, { BACNET_INSTANCE_BITS, "instance" } },
			     .names = { NAMES(objects, ':') } },
};

const struct vocabulary vocabulary_bacnet = {
	.protocol = PROTO_BACNET,
	VOCABULARY_LIST(functions, functions),
	VOCABULARY_LIST(reaches, reaches),
	VOCABULARY_LIST(siblings, siblings),
	VOCABULARY_LIST(values, values),
	VOCABULARY_LIST(targets, targets),
	VOCABULARY_LIST(spaces, spaces),
	.value_max = UINT32_MAX,
	.code_first = 0,
	.code_last = BACNET_APDU(15),
	.code_max = BACNET_APDU(15),
	.refused = { R_BACNET_FUNCTION, R_BACNET_TARGET, R_BACNET_ADDRESS, R_BACNET_VALUE },
};
