/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of OPC UA as rows name them: a service by the node id of its request in binary encoding,
 * and higher codes for messages of the connection. */
#ifndef SEKISHO_DPI_OPCUA_WORDS_H
#define SEKISHO_DPI_OPCUA_WORDS_H

enum opcua_space { OPCUA_NODES, OPCUA_CERTIFICATES, OPCUA_SPACES };
#define OPCUA_IDENTIFIER_BITS 32u /* lowest bits of an address; the namespace is above them */

/* The targets, in the order of the vocabulary. */
enum opcua_target { OPCUA_POLICY, OPCUA_ATTRIBUTE };

/* Security policies (OPC 10000-7), numbered in the order of policies.def. */
#define OPCUA_POLICY_UNKNOWN 0u /* a session met half-way */
#define OPCUA_POLICY_NONE 1u
#define OPCUA_POLICY_OTHER 255u

#define OPCUA_VALUE 13u /* the attribute that holds a variable's value (OPC 10000-6, A.1) */
/* an attribute that no row names */
#define OPCUA_ATTRIBUTE_UNKNOWN 256u

#define OPCUA_FAULT 397u	 /* ServiceFault, the possible answer to every request */
#define OPCUA_SERVICE_MAX 65535u /* the highest node id that may be a service */
#define OPCUA_OPEN_CHANNEL 446u
#define OPCUA_CLOSE_CHANNEL 452u
#define OPCUA_READ 631u
#define OPCUA_WRITE 673u
#define OPCUA_MONITOR 751u /* CreateMonitoredItems */
/* Write of another attribute than the value: changes properties of the variable */
#define OPCUA_WRITE_ATTRIBUTE 100673u
#define OPCUA_SAYS(kind) (200000u + (kind)) /* a message of the connection, which is no service */
/* contents of a channel with a security policy, which only its ends can read */
#define OPCUA_SECURED 200010u

#endif
