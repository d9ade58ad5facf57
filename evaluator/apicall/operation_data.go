package apicall

// dataOperations are those of the services that store and query data, whose actions are
// rather what is done to the data (T78).
var dataOperations = []authorisation{
	// https://docs.aws.amazon.com/service-authorization/latest/reference/list_dynamodb.html
	as("dynamodb", "DescribeEndpoints", none),

	// A keyspace in several Regions needs a second action beside the first.
	// https://docs.aws.amazon.com/service-authorization/latest/reference/list_keyspaces.html
	as("cassandra", "CreateKeyspace CreateTable CreateType", "Create CreateMultiRegionResource?"),
	as("cassandra", "DeleteKeyspace DeleteTable DeleteType", "Drop DropMultiRegionResource?"),
	as("cassandra", "GetKeyspace GetTable GetType ListKeyspaces ListTables ListTypes ListTagsForResource", "Select"),
	as("cassandra", "GetTableAutoScalingSettings", "Select SelectMultiRegionResource?"),
	as("cassandra", "RestoreTable", "Restore Select RestoreMultiRegionTable?"),
	as("cassandra", "UpdateTable", "Alter AlterMultiRegionResource?"),
	as("cassandra", "UpdateKeyspace", `Alter AlterMultiRegionResource? Create? CreateMultiRegionResource? Modify? ModifyMultiRegionResource?
		Select? SelectMultiRegionResource?`),

	// https://docs.aws.amazon.com/service-authorization/latest/reference/list_glue.html
	as("glue", "BatchGetDataQualityResult ListDataQualityStatistics ListDataQualityStatisticAnnotations", "GetDataQualityResult"),
	as("glue", "BatchPutDataQualityStatisticAnnotation", "PutDataQualityStatisticAnnotation"),
	as("glue", "BatchUpdatePartition DeleteColumnStatisticsForPartition UpdateColumnStatisticsForPartition", "UpdatePartition"),
	as("glue", "CreatePartitionIndex DeletePartitionIndex DeleteColumnStatisticsForTable UpdateColumnStatisticsForTable", "UpdateTable"),
	as("glue", "GetColumnStatisticsForTable GetUnfilteredTableMetadata", "GetTable"),
	// Not in AWS's table of operations. The other operations on indexes are authorised as ones on the table.
	as("glue", "GetPartitionIndexes", "GetTable? GetPartitionIndexes?"),
	as("glue", "GetColumnStatisticsForPartition GetUnfilteredPartitionMetadata", "GetPartition"),
	as("glue", "GetUnfilteredPartitionsMetadata", "GetPartitions"),
	as("glue", "BatchDeleteConnection", "BatchDeleteConnection DeleteConnection?"),
	as("glue", "BatchDeleteTableVersion", "BatchDeleteTableVersion DeleteTableVersion?"),
	as("glue", "BatchGetBlueprints", "BatchGetBlueprints GetBlueprint?"),
	as("glue", "BatchGetCustomEntityTypes", "BatchGetCustomEntityTypes GetCustomEntityType?"),
	as("glue", "BatchGetDevEndpoints", "BatchGetDevEndpoints GetDevEndpoint?"),
	as("glue", "BatchGetJobs", "BatchGetJobs GetJob?"),
	as("glue", "BatchGetTriggers", "BatchGetTriggers GetTrigger?"),
	as("glue", "BatchGetWorkflows", "BatchGetWorkflows GetWorkflow?"),

	// Which of the three a query needs is in its text.
	// https://docs.aws.amazon.com/neptune/latest/userguide/iam-dp-actions.html
	as("neptune-db", "ExecuteGremlinQuery ExecuteGremlinExplainQuery ExecuteOpenCypherQuery", "ReadDataViaQuery? WriteDataViaQuery? DeleteDataViaQuery?"),
	as("neptune-db", "ExecuteGremlinProfileQuery ExecuteOpenCypherExplainQuery", "ReadDataViaQuery"),
	as("neptune-db", "CancelGremlinQuery CancelOpenCypherQuery", "CancelQuery"),
	as("neptune-db", "GetGremlinQueryStatus GetOpenCypherQueryStatus ListGremlinQueries ListOpenCypherQueries", "GetQueryStatus"),
	as("neptune-db", "GetPropertygraphSummary GetRDFGraphSummary", "GetGraphSummary"),
	as("neptune-db", "GetPropertygraphStream GetSparqlStream", "GetStreamRecords"),
	as("neptune-db", "GetPropertygraphStatistics GetSparqlStatistics", "GetStatisticsStatus"),
	as("neptune-db", "ManagePropertygraphStatistics ManageSparqlStatistics", "ManageStatistics"),
	as("neptune-db", "DeletePropertygraphStatistics DeleteSparqlStatistics", "DeleteStatistics"),
	as("neptune-db", "ExecuteFastReset", "ResetDatabase"),
	as("neptune-db", "GetMLDataProcessingJob", "GetMLDataProcessingJobStatus"),
	as("neptune-db", "GetMLEndpoint", "GetMLEndpointStatus"),
	as("neptune-db", "GetMLModelTrainingJob", "GetMLModelTrainingJobStatus"),
	as("neptune-db", "GetMLModelTransformJob", "GetMLModelTransformJobStatus"),
	as("neptune-graph", "ExecuteQuery", "ReadDataViaQuery? WriteDataViaQuery? DeleteDataViaQuery?"),
	as("neptune-graph", "GetQuery", "GetQueryStatus"),

	// https://docs.aws.amazon.com/service-authorization/latest/reference/list_redshift-data.html
	as("redshift-data", "GetStatementResultV2", "GetStatementResult"),

	// https://docs.aws.amazon.com/service-authorization/latest/reference/list_timestream.html
	as("timestream", "PrepareQuery", "Select PrepareQuery?"),
}
