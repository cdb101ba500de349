/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in types of OPC UA in their binary encoding (OPC 10000-6, 5.1 and 5.2). Part of its
 * enforcer, used by nobody else. Pure; knows no policy. Each takes one off `b`; false: there is
 * none, and `b` has failed.
 */
#ifndef SEKISHO_DPI_OPCUA_BUILTIN_H
#define SEKISHO_DPI_OPCUA_BUILTIN_H

#include "appliance/wire/operation.h"

/* Variants in variants, diagnostics in diagnostics. OPC 10000-6 asks for 100 (5.1.8), no device
 * for as many. */
#define OPCUA_DEPTH_MAX 8u

struct opcua_node {
	bool number;	/* otherwise a string, a GUID or bytes, or elsewhere */
	bool null;	/* 0 in namespace 0 */
	uint64_t place; /* namespace and identifier */
};

/* String, ByteString, XmlElement: a null one is empty. */
bool opcua_string(struct bytes *b, struct bytes *ret);
/* How many an array has; never more than bytes are left. */
bool opcua_count(struct bytes *b, uint32_t *ret);
/* `expanded`: it may name a namespace and a server, and is then no number. */
bool opcua_node(struct bytes *b, bool expanded, struct opcua_node *ret);
bool opcua_qualified_name(struct bytes *b);
bool opcua_localized_text(struct bytes *b);
/* *bodies becomes true where a body was passed over whose end the type does not say: servers may
 * find it elsewhere than where its length says. */
bool opcua_extension(struct bytes *b, bool *bodies);
bool opcua_diagnostic(struct bytes *b);
/* *ret: the number that it holds (docs/protocols/opcua.md), or VALUES_UNKNOWN. */
bool opcua_variant(struct bytes *b, struct values *ret, bool *bodies);
bool opcua_data_value(struct bytes *b, struct values *ret, bool *bodies);

#endif
