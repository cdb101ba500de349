/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in types of OPC UA in their binary encoding (OPC 10000-6, 5.1 and 5.2). Part of the OPC
 * UA enforcer, used by nobody else. Pure; knows no policy. Each function reads one value from *b;
 * false: it is malformed, and `b` has failed.
 */
#ifndef SEKISHO_DPI_OPCUA_BUILTIN_H
#define SEKISHO_DPI_OPCUA_BUILTIN_H

#include "appliance/wire/operation.h"

/* Nesting of Variants, and of DiagnosticInfo. OPC 10000-6 allows 100 levels (5.1.8), but no device
 * sends as many. */
#define OPCUA_DEPTH_MAX 8u

struct opcua_node {
	/* its identifier is numeric, and it names neither a namespace URI nor a server */
	bool number;
	bool null;	/* 0 in namespace 0 */
	uint64_t place; /* namespace and identifier */
};

/* Reads a String, ByteString or XmlElement. A null string is returned as empty. */
bool opcua_string(struct bytes *b, struct bytes *ret);
/* Reads the number of elements of an array, which is never more than the remaining bytes. */
bool opcua_count(struct bytes *b, uint32_t *ret);
/* `expanded`: an ExpandedNodeId, which may also name a namespace URI or a server; ret->number is
 * then false. */
bool opcua_node(struct bytes *b, bool expanded, struct opcua_node *ret);
bool opcua_qualified_name(struct bytes *b);
bool opcua_localized_text(struct bytes *b);
/* *bodies becomes true if a body was skipped whose type does not determine its end: servers may
 * find another end than its length says. */
bool opcua_extension(struct bytes *b, bool *bodies);
bool opcua_diagnostic(struct bytes *b);
/* *ret: the number in it (docs/protocols/opcua.md), or VALUES_UNKNOWN. */
bool opcua_variant(struct bytes *b, struct values *ret, bool *bodies);
bool opcua_data_value(struct bytes *b, struct values *ret, bool *bodies);

#endif
