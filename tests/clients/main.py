"""Runs the groups, each on a node of its own, and says whether every operation that must be there was called."""

import argparse
import importlib
import sys
import time
import traceback

from node import Node
from plane import ANY_KEY, Plane

GROUPS = ["apis", "stages", "parts", "keys", "should", "access", "sdk", "terraform", "cli"]
# Operations of the first version that must be there; each is called by one of the groups.
MUST = """
CreateApiKey CreateAuthorizer CreateBasePathMapping CreateDeployment CreateDomainName CreateModel CreateRequestValidator
CreateResource CreateRestApi CreateStage CreateUsagePlan CreateUsagePlanKey DeleteApiKey DeleteAuthorizer
DeleteBasePathMapping DeleteClientCertificate DeleteDeployment DeleteDomainName DeleteGatewayResponse DeleteIntegration
DeleteIntegrationResponse DeleteMethod DeleteMethodResponse DeleteModel DeleteRequestValidator DeleteResource
DeleteRestApi DeleteStage DeleteUsagePlan DeleteUsagePlanKey FlushStageCache GenerateClientCertificate GetAccount
GetApiKey GetApiKeys GetAuthorizer GetAuthorizers GetBasePathMapping GetBasePathMappings GetClientCertificate
GetClientCertificates GetDeployment GetDeployments GetDomainName GetDomainNames GetExport GetGatewayResponse
GetGatewayResponses GetIntegration GetIntegrationResponse GetMethod GetMethodResponse GetModel GetModels
GetRequestValidator GetRequestValidators GetResource GetResources GetRestApi GetRestApis GetStage GetStages GetTags
GetUsagePlan GetUsagePlanKey GetUsagePlanKeys GetUsagePlans ImportRestApi PutGatewayResponse PutIntegration
PutIntegrationResponse PutMethod PutMethodResponse PutRestApi TagResource TestInvokeMethod UntagResource UpdateAccount
UpdateApiKey UpdateAuthorizer UpdateBasePathMapping UpdateClientCertificate UpdateDeployment UpdateDomainName
UpdateGatewayResponse UpdateIntegration UpdateIntegrationResponse UpdateMethod UpdateMethodResponse UpdateModel
UpdateRequestValidator UpdateResource UpdateRestApi UpdateStage UpdateUsagePlan
""".split()


def main():
    parser = argparse.ArgumentParser(description="The control plane as AWS's own clients see it.")
    parser.add_argument("--only", choices=GROUPS, help="run one group")
    parser.add_argument("--list", action="store_true", help="name the groups and what they are about")
    arguments = parser.parse_args()
    groups = [arguments.only] if arguments.only else GROUPS
    if arguments.list:
        for group in groups:
            print(f"{group:8} {importlib.import_module('case_' + group).__doc__}")
        return 0
    called, failed = set(), []
    for group in groups:
        began = time.monotonic()
        case = importlib.import_module("case_" + group)
        node = Node(*getattr(case, "FLAGS", []), files=getattr(case, "FILES", None))
        plane = Plane(node.control, key=getattr(case, "KEY", ANY_KEY))
        try:
            case.run(plane, node)
            print(f"passed  {group:8} {len(plane.called)} operations, {time.monotonic() - began:.1f} s")
        except Exception:
            failed.append(group)
            print(f"FAILED  {group}")
            traceback.print_exc()
        finally:
            node.stop()
        called |= plane.called
    missing = sorted(set(MUST) - called)
    if missing and not arguments.only:
        failed.append("coverage")
        print(f"never called: {' '.join(missing)}")
    print(f"{len(called)} operations were called, {len(MUST)} must be there; {len(failed)} groups failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
