// The part of PKCS #11 (OASIS, version 2.40) that signing needs: types, numbers and the order of the
// function list. Written from the standard; no logic.
#ifndef CPKCS11_H
#define CPKCS11_H

typedef unsigned char CK_BYTE;
typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_RV, CK_FLAGS, CK_SLOT_ID, CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_MECHANISM_TYPE,
    CK_ATTRIBUTE_TYPE, CK_USER_TYPE;

typedef struct {
  CK_BYTE major, minor;
} CK_VERSION;

typedef struct {
  CK_BYTE label[32], manufacturer[32], model[16], serial[16];
  CK_FLAGS flags;
  CK_ULONG maxSessions, sessions, maxRwSessions, rwSessions, maxPin, minPin;
  CK_ULONG totalPublic, freePublic, totalPrivate, freePrivate;
  CK_VERSION hardware, firmware;
  CK_BYTE utcTime[16];
} CK_TOKEN_INFO;

typedef struct {
  CK_ATTRIBUTE_TYPE type;
  void *value;
  CK_ULONG length;
} CK_ATTRIBUTE;

typedef struct {
  CK_MECHANISM_TYPE mechanism;
  void *parameter;
  CK_ULONG length;
} CK_MECHANISM;

typedef struct {
  CK_MECHANISM_TYPE hash;
  CK_ULONG mask;
  CK_ULONG saltLength;
} CK_RSA_PKCS_PSS_PARAMS;

typedef struct {
  void *createMutex, *destroyMutex, *lockMutex, *unlockMutex;
  CK_FLAGS flags;
  void *reserved;
} CK_C_INITIALIZE_ARGS;

// Section 3.6: the functions in their order; those that are not called here are plain pointers.
typedef struct {
  CK_VERSION version;
  CK_RV (*C_Initialize)(void *arguments);
  CK_RV (*C_Finalize)(void *reserved);
  void *C_GetInfo;
  void *C_GetFunctionList;
  CK_RV (*C_GetSlotList)(CK_BYTE tokenPresent, CK_SLOT_ID *list, CK_ULONG *count);
  void *C_GetSlotInfo;
  CK_RV (*C_GetTokenInfo)(CK_SLOT_ID slot, CK_TOKEN_INFO *info);
  void *C_GetMechanismList, *C_GetMechanismInfo, *C_InitToken, *C_InitPIN, *C_SetPIN;
  CK_RV (*C_OpenSession)(CK_SLOT_ID slot, CK_FLAGS flags, void *application, void *notify,
                         CK_SESSION_HANDLE *session);
  CK_RV (*C_CloseSession)(CK_SESSION_HANDLE session);
  void *C_CloseAllSessions, *C_GetSessionInfo, *C_GetOperationState, *C_SetOperationState;
  CK_RV (*C_Login)(CK_SESSION_HANDLE session, CK_USER_TYPE user, const CK_BYTE *pin, CK_ULONG length);
  void *C_Logout, *C_CreateObject, *C_CopyObject, *C_DestroyObject, *C_GetObjectSize;
  CK_RV (*C_GetAttributeValue)(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                               CK_ATTRIBUTE *attributes, CK_ULONG count);
  void *C_SetAttributeValue;
  CK_RV (*C_FindObjectsInit)(CK_SESSION_HANDLE session, const CK_ATTRIBUTE *attributes,
                             CK_ULONG count);
  CK_RV (*C_FindObjects)(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG maximum,
                         CK_ULONG *count);
  CK_RV (*C_FindObjectsFinal)(CK_SESSION_HANDLE session);
  void *C_EncryptInit, *C_Encrypt, *C_EncryptUpdate, *C_EncryptFinal;
  void *C_DecryptInit, *C_Decrypt, *C_DecryptUpdate, *C_DecryptFinal;
  void *C_DigestInit, *C_Digest, *C_DigestUpdate, *C_DigestKey, *C_DigestFinal;
  CK_RV (*C_SignInit)(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
  CK_RV (*C_Sign)(CK_SESSION_HANDLE session, const CK_BYTE *data, CK_ULONG length,
                  CK_BYTE *signature, CK_ULONG *signatureLength);
  void *C_SignUpdate, *C_SignFinal, *C_SignRecoverInit, *C_SignRecover;
  void *C_VerifyInit, *C_Verify, *C_VerifyUpdate, *C_VerifyFinal;
  void *C_VerifyRecoverInit, *C_VerifyRecover;
  void *C_DigestEncryptUpdate, *C_DecryptDigestUpdate, *C_SignEncryptUpdate, *C_DecryptVerifyUpdate;
  void *C_GenerateKey;
  CK_RV (*C_GenerateKeyPair)(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                             CK_ATTRIBUTE *publicTemplate, CK_ULONG publicCount,
                             CK_ATTRIBUTE *privateTemplate, CK_ULONG privateCount,
                             CK_OBJECT_HANDLE *publicKey, CK_OBJECT_HANDLE *privateKey);
  void *C_WrapKey, *C_UnwrapKey, *C_DeriveKey, *C_SeedRandom, *C_GenerateRandom;
  void *C_GetFunctionStatus, *C_CancelFunction, *C_WaitForSlotEvent;
} CK_FUNCTION_LIST;

typedef CK_RV (*CK_C_GetFunctionList)(CK_FUNCTION_LIST **list);

#endif
