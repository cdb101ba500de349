/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/opcua/words.h"

#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_numbers.h"
#include "dpi/opcua/opcua.h"

#define PLACES (1u << OPCUA_NODES)

/*
 * Writing a value is writing. Writing other attributes of a variable (access rights, type), and
 * creating and deleting nodes, is programming. Only the server knows what a method does, so calls
 * are control. Opening and closing sessions has no class. Every chunk states its size, so all
 * servers find the same end of a request.
 */
static const struct function_info functions[] = {
#define SERVICE(request, response, name, class, places, untold, layout)                                                \
	{ request, request, #name, class, (places)*PLACES, untold, FRAMING_ALIKE },
#include "dpi/opcua/services.def"
	{ OPCUA_WRITE_ATTRIBUTE, OPCUA_WRITE_ATTRIBUTE, "WriteAttribute", CLASS_PROGRAM, PLACES, UNTOLD_VALUE,
	  FRAMING_ALIKE },
#define SAYS(kind, name) { OPCUA_SAYS(kind), OPCUA_SAYS(kind), name, 0, 0, 0, FRAMING_ALIKE },
	SAYS(OPCUA_HELLO, "Hello") SAYS(OPCUA_ACKNOWLEDGE, "Acknowledge") SAYS(OPCUA_ERROR, "Error")
		SAYS(OPCUA_REVERSE_HELLO, "ReverseHello"){ OPCUA_SECURED, OPCUA_SECURED, "Secured", CLASS_ALL,
							   1u << OPCUA_CERTIFICATES, UNTOLD_VALUE, FRAMING_ALIKE },
};

#define N(list) (sizeof(list) / sizeof((list)[0]))

static const struct number_name policies[] = {
#define POLICY(number, name) { number, name },
#include "dpi/opcua/policies.def"
	{ OPCUA_POLICY_OTHER, "other" },
};

static const struct number_names policy_names = { policies, N(policies), '.' };

static const struct target_info targets[] = {
	[OPCUA_POLICY] = { .key = "security_policies",
			   .max = OPCUA_POLICY_OTHER,
			   .one = "security policy",
			   .ja = "セキュリティポリシー",
			   .parts = { { 8, "policy" } },
			   .names = { &policy_names } },
	[OPCUA_ATTRIBUTE] = { .key = "attributes",
			      .max = 255,
			      .one = "attribute",
			      .ja = "属性",
			      .usual_known = true,
			      .usual = OPCUA_VALUE },
};

static const struct space_info spaces[OPCUA_SPACES] = {
	[OPCUA_NODES] = { .key = "node_ids",
			  .address_max = (UINT64_C(1) << (OPCUA_IDENTIFIER_BITS + 16u)) - 1u,
			  .parts = { { 16, "namespace", "ns=" }, { OPCUA_IDENTIFIER_BITS, "identifier", ";i=" } } },
	[OPCUA_CERTIFICATES] = { .key = "certificates", .address_max = INT64_MAX, .named = true, .digits = 40 },
};

/* Requests of a channel without security, and contents of one with security. */
#define READABLE 1, OPCUA_SECURED - 1u
#define NO_ATTRIBUTE(first, last)                                                                                      \
	{                                                                                                              \
		first, last, OPCUA_ATTRIBUTE, false, 1, 0                                                              \
	}

static const struct reach_info reaches[] = {
	{ READABLE, OPCUA_POLICY, true, OPCUA_POLICY_NONE, OPCUA_POLICY_NONE },
	{ OPCUA_SECURED, OPCUA_SECURED, OPCUA_POLICY, true, OPCUA_POLICY_UNKNOWN, OPCUA_POLICY_UNKNOWN },
	{ OPCUA_SECURED, OPCUA_SECURED, OPCUA_POLICY, false, OPCUA_POLICY_NONE + 1u, OPCUA_POLICY_OTHER - 1u },
	{ OPCUA_SECURED, OPCUA_SECURED, OPCUA_POLICY, true, OPCUA_POLICY_OTHER, OPCUA_POLICY_OTHER },
	NO_ATTRIBUTE(1, OPCUA_READ - 1u),
	NO_ATTRIBUTE(OPCUA_READ + 1u, OPCUA_WRITE - 1u),
	{ OPCUA_WRITE, OPCUA_WRITE, OPCUA_ATTRIBUTE, false, OPCUA_VALUE, OPCUA_VALUE },
	NO_ATTRIBUTE(OPCUA_WRITE + 1u, OPCUA_MONITOR - 1u),
	NO_ATTRIBUTE(OPCUA_MONITOR + 1u, OPCUA_WRITE_ATTRIBUTE - 1u),
	{ OPCUA_WRITE_ATTRIBUTE, OPCUA_WRITE_ATTRIBUTE, OPCUA_ATTRIBUTE, false, 0, OPCUA_VALUE - 1u },
	{ OPCUA_WRITE_ATTRIBUTE, OPCUA_WRITE_ATTRIBUTE, OPCUA_ATTRIBUTE, false, OPCUA_VALUE + 1u, UINT32_MAX },
	NO_ATTRIBUTE(OPCUA_WRITE_ATTRIBUTE + 1u, OPCUA_SECURED),
};

static const struct pair_info siblings[] = { { OPCUA_WRITE, OPCUA_WRITE_ATTRIBUTE, OPCUA_ATTRIBUTE } };
static const struct value_info values[] = { { 1, OPCUA_SECURED, REACH_VALUES, 0, 0, VALUE_BITS_32 } };

const struct vocabulary vocabulary_opcua = {
	.protocol = PROTO_OPCUA,
	VOCABULARY_LIST(functions, functions),
	VOCABULARY_LIST(reaches, reaches),
	VOCABULARY_LIST(siblings, siblings),
	VOCABULARY_LIST(values, values),
	VOCABULARY_LIST(targets, targets),
	VOCABULARY_LIST(spaces, spaces),
	.value_max = UINT32_MAX,
	.code_first = 1,
	.code_last = OPCUA_SECURED,
	.code_max = OPCUA_SECURED,
	.lenient = LENIENT_NUMBERING,
	.refused = { R_OPCUA_FUNCTION, R_OPCUA_TARGET, R_OPCUA_ADDRESS, R_OPCUA_VALUE },
};
