/*
 * What the generator can say.
 *
 * Names are invented and say so. SNOMED CT and Read v2 codes are those of
 * - the physical health check sets of the Greater Manchester code sets
 *   (shared/clinical-code-sets), the NHS England MHSDS assessment list
 *   (PHQ-9, GAD-7), and for personality disorder the same Manchester sets;
 * - consents and dissents: NHS Digital DocumentConsentSnCT, EMIS and Vision
 *   help pages, the NW London subscriber filter;
 * - blood pressure: HL7 FHIR R4, vital signs, code 75367002.
 * Rows without a concept get one in namespace 9999999 and "(invented)".
 */
#include "synth_private.h"

#define CONSENT "Health management, screening and monitoring"
#define BIOLOGICAL "Biological values"
#define CHEMISTRY "Biochemistry"
#define SOCIAL "Personal Health and Social"
#define FINDING "Symptoms and Findings"
#define CONDITION "Conditions, operations and procedures"

const struct synth_code_row stile__synth_codes[CODE_COUNT] = {
    [CODE_BP] = {"Blood pressure", "246..", "75367002", BIOLOGICAL, NULL, 0, 0,
                 0, 0, 0},
    [CODE_DIASTOLIC] = {"Diastolic blood pressure", "246A.", "271650006",
                        BIOLOGICAL, "mmHg", 55, 105, 0, 0, 0},
    [CODE_SYSTOLIC] = {"Systolic blood pressure", "2469.", "271649006",
                       BIOLOGICAL, "mmHg", 95, 185, 0, 0, 0},
    [CODE_BMI] = {"Body mass index", "22K..", "60621009", BIOLOGICAL, "kg/m2",
                  170, 420, 0, 0, 1},
    [CODE_WEIGHT] = {"Body weight", "22A..", "27113001", BIOLOGICAL, "kg", 4500,
                     14000, 0, 0, 2},
    [CODE_HEIGHT] = {"Body height", "229..", "50373000", BIOLOGICAL, "cm", 1450,
                     2000, 0, 0, 1},
    [CODE_HBA1C] = {"Haemoglobin A1c level (IFCC)", "42W5.", "999791000000106",
                    CHEMISTRY, "mmol/mol", 25, 110, 20, 42, 0},
    [CODE_CHOLESTEROL] = {"Serum total cholesterol level", "44P..",
                          "1005671000000105", CHEMISTRY, "mmol/L", 250, 850, 0,
                          500, 2},
    [CODE_HDL] = {"Serum HDL cholesterol level", "44P5.", "1005681000000107",
                  CHEMISTRY, "mmol/L", 80, 250, 0, 0, 2},
    [CODE_TRIGLYCERIDES] = {"Serum triglyceride level", "44Q..",
                            "1005691000000109", CHEMISTRY, "mmol/L", 40, 450, 0,
                            0, 2},
    [CODE_UNITS] = {"Alcohol intake", "136V.", "160573003", SOCIAL, "U/week", 0,
                    40, 0, 0, 0},
    [CODE_PHQ9] = {"PHQ-9 score", NULL, "720433000", FINDING, "/27", 0, 27, 0,
                   0, 0},
    [CODE_GAD7] = {"GAD-7 score", NULL, "445455005", FINDING, "/21", 0, 21, 0,
                   0, 0},
    [CODE_SMOKER] = {"Smoker", "137R.", "77176002", SOCIAL, NULL, 0, 0, 0, 0,
                     0},
    [CODE_EX_SMOKER] = {"Ex-smoker", "137S.", "281018007", SOCIAL, NULL, 0, 0,
                        0, 0, 0},
    [CODE_NEVER_SMOKED] = {"Never smoked tobacco", "1371.", "266919005", SOCIAL,
                           NULL, 0, 0, 0, 0, 0},
    [CODE_SCHIZOPHRENIA] = {"Schizophrenia", "E10..", "58214004", CONDITION,
                            NULL, 0, 0, 0, 0, 0},
    [CODE_BIPOLAR] = {"Bipolar disorder", "E11..", "13746004", CONDITION, NULL,
                      0, 0, 0, 0, 0},
    [CODE_PSYCHOSIS] = {"Psychotic disorder", NULL, "69322001", CONDITION, NULL,
                        0, 0, 0, 0, 0},
    [CODE_PERSONALITY] = {"Personality disorder", "E21..", "33449004",
                          CONDITION, NULL, 0, 0, 0, 0, 0},
    [CODE_LOW_MOOD] = {"Low mood, follow-up wanted (invented)", NULL, NULL,
                       FINDING, NULL, 0, 0, 0, 0, 0},
    [CODE_KNEE] = {"Knee pain, left, \"clicks\" (invented)", NULL, NULL,
                   FINDING, NULL, 0, 0, 0, 0, 0},
    [CODE_DISSENT_LOCAL] = {"Refused consent for upload to local shared record",
                            "93C1.", "416409005", CONSENT, NULL, 0, 0, 0, 0, 0},
    [CODE_CONSENT_LOCAL] = {"Consent given for upload to local shared record",
                            "93C0.", "417528008", CONSENT, NULL, 0, 0, 0, 0, 0},
    [CODE_DISSENT_NATIONAL] = {"Refused consent for upload to national shared "
                               "record",
                               "93C3.", "416308001", CONSENT, NULL, 0, 0, 0, 0,
                               0},
    [CODE_CONSENT_SHARING] = {"Consent given for electronic record sharing",
                              "9Nd7.", "425691002", CONSENT, NULL, 0, 0, 0, 0,
                              0},
    [CODE_TYPE_1] = {"Dissent from secondary use of GP patient identifiable "
                     "data",
                     "9Nu0.", "827241000000103", CONSENT, NULL, 0, 0, 0, 0, 0},
    [CODE_TYPE_2] = {"Dissent from disclosure by the national body", "9Nu4.",
                     "881561000000100", CONSENT, NULL, 0, 0, 0, 0, 0},
    [CODE_DECLINED_THIRD_PARTY] = {"Declined to share with named third party",
                                   "9NdH.", "320011000000108", CONSENT, NULL, 0,
                                   0, 0, 0, 0},
    [CODE_CONSENT_FORM] = {"Consent to share with named third party, form",
                           NULL, "319951000000105", CONSENT, NULL, 0, 0, 0, 0,
                           0},
    [CODE_ADOPTED] = {"Adopted child", NULL, "393547004", SOCIAL, NULL, 0, 0, 0,
                      0, 0},
    [CODE_THIRD_PARTY_INFO] = {"Record contains third party information", NULL,
                               "888931000000108", SOCIAL, NULL, 0, 0, 0, 0, 0},
    [CODE_SENSITIVE_1] = {"Demonstration entry, sexual health (invented)", NULL,
                          NULL, FINDING, NULL, 0, 0, 0, 0, 0},
    [CODE_SENSITIVE_2] = {"Demonstration entry, domestic abuse (invented)",
                          NULL, NULL, FINDING, NULL, 0, 0, 0, 0, 0},
    [CODE_REFER_TRUST] = {"Referral to community mental health (invented)",
                          NULL, NULL, "Referral", NULL, 0, 0, 0, 0, 0},
    [CODE_REFER_CHARITY] = {"Referral to voluntary sector advice (invented)",
                            NULL, NULL, "Referral", NULL, 0, 0, 0, 0, 0},
    [CODE_QUALIFIER] = {"Severity (invented)", NULL, NULL, "EMIS Qualifier",
                        NULL, 0, 0, 0, 0, 0},
    [CODE_LATE] = {"Entry whose code row comes a day late (invented)", NULL,
                   NULL, FINDING, NULL, 0, 0, 0, 0, 0},
    [CODE_CONSENT_CHARITY] = {"Consent to share with Riverside Advice "
                              "(invented)",
                              NULL, NULL, CONSENT, NULL, 0, 0, 0, 0, 0},
};

const struct synth_drug_row stile__synth_drugs[SYNTH_DRUGS] = {
    {"Examplamine 20mg tablets (invented)", "One, each morning", "tablet"},
    {"Fixturazole 500micrograms/ml oral solution (invented)",
     "5 ml \"as needed\",\nno more than four times a day", "ml"},
    {"Mockapine 2.5mg tablets (invented)", "Half a tablet at night", "tablet"},
    {"Placebidol 100mg modified-release capsules (invented)",
     "One twice a day, with food", "capsule"},
    {"Sampletraline 50mg tablets (invented)", "1-2 daily", "tablet"},
    {"Stubadone 1% cream, 30g (invented)", "Apply thinly", "gram"},
};

static const char *const given_names[] = {
    "Synthia", "Testina",   "Mockwell",        "Examplia",
    "Fixtura", "Sampson",   "Dummett",         "Specimena",
    "Stubby",  "Prototypa", "Zo\xc3\xab-Test", "Ffion-Demo"};
static const char *const surnames[] = {
    "Example",         "Tester",  "Fixture",   "Placeholder",        "O'Mock",
    "Specimen-Sample", "Du Mmy",  "Synthetic", "Samplew\xc3\xb6rth", "Invented",
    "Stubbs-Test",     "Nonesuch"};
static const char *const streets[] = {"Imaginary Lane",  "Pretend Street",
                                      "Nowhere Road",    "Made-Up Avenue",
                                      "Fictional Close", "Example Row"};
static const char *const towns[] = {"Eastmoor", "Westmarsh", "Nether Fixture",
                                    "Upper Sample"};

#define PICK(list, i) ((list)[(i) % (sizeof(list) / sizeof((list)[0]))])

const char *stile__synth_given(uint32_t i)
{
    return PICK(given_names, i);
}

const char *stile__synth_surname(uint32_t i)
{
    return PICK(surnames, i);
}

const char *stile__synth_street(uint32_t i)
{
    return PICK(streets, i);
}

const char *stile__synth_town(uint32_t i)
{
    return PICK(towns, i);
}
