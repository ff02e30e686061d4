"""LocalStack 4.14 in host mode. An image of a Lambda runtime that is there is not pulled."""

from localstack.services.lambda_.invocation import docker_runtime_executor as executor
from localstack.utils.docker_utils import DOCKER_CLIENT

pull = executor._ensure_runtime_image_present


def ensure(image, platform):
    try:
        DOCKER_CLIENT.inspect_image(image, pull=False)
    except Exception:
        return pull(image, platform)


executor._ensure_runtime_image_present = ensure

from localstack.runtime.main import main  # noqa: E402

main()
